# Prints, for each C function named on the standard input, what GTK's own
# description says of it: its name, what it returns, and what it takes, as
# "word" (pointers, strings), "long", "int", "uint", "double", "float", "void".
import sys

import gi

gi.require_version("GIRepository", "2.0")
from gi.repository import GIRepository

wanted = set(sys.stdin.read().split())
repo = GIRepository.Repository.get_default()
spaces = [("Gtk", "3.0"), ("Gdk", "3.0"), ("Gio", "2.0"), ("GObject", "2.0"), ("GLib", "2.0"), ("Atk", "1.0"), ("Pango", "1.0")]
for name, version in spaces:
    repo.require(name, version, 0)

Tag = GIRepository.TypeTag
PLAIN = {
    Tag.VOID: "void", Tag.BOOLEAN: "int", Tag.INT8: "int", Tag.UINT8: "uint", Tag.INT32: "int", Tag.UINT32: "uint",
    Tag.INT64: "long", Tag.UINT64: "long", Tag.FLOAT: "float", Tag.DOUBLE: "double", Tag.GTYPE: "long", Tag.UNICHAR: "uint",
}


def kind(info):
    if GIRepository.type_info_is_pointer(info):
        return "word"
    tag = GIRepository.type_info_get_tag(info)
    if tag in PLAIN:
        return PLAIN[tag]
    if tag == Tag.INTERFACE:
        target = GIRepository.type_info_get_interface(info)
        if target.get_type() in (GIRepository.InfoType.ENUM, GIRepository.InfoType.FLAGS):
            return "int" if target.get_type() == GIRepository.InfoType.ENUM else "uint"
        return "word"
    return "word"


def visit(f, method):
    symbol = GIRepository.function_info_get_symbol(f)
    if symbol not in wanted:
        return
    args = ["word"] if method else []
    for i in range(GIRepository.callable_info_get_n_args(f)):
        a = GIRepository.callable_info_get_arg(f, i)
        args.append("word" if GIRepository.arg_info_get_direction(a) != GIRepository.Direction.IN else kind(GIRepository.arg_info_get_type(a)))
    if GIRepository.function_info_get_flags(f) & GIRepository.FunctionInfoFlags.THROWS:
        args.append("word")
    print(symbol, kind(GIRepository.callable_info_get_return_type(f)), *args)


InfoType = GIRepository.InfoType
for name, _ in spaces:
    for i in range(repo.get_n_infos(name)):
        info = repo.get_info(name, i)
        t = info.get_type()
        if t == InfoType.FUNCTION:
            visit(info, False)
            continue
        getter = {
            InfoType.OBJECT: (GIRepository.object_info_get_n_methods, GIRepository.object_info_get_method),
            InfoType.INTERFACE: (GIRepository.interface_info_get_n_methods, GIRepository.interface_info_get_method),
            InfoType.STRUCT: (GIRepository.struct_info_get_n_methods, GIRepository.struct_info_get_method),
            InfoType.UNION: (GIRepository.union_info_get_n_methods, GIRepository.union_info_get_method),
            InfoType.ENUM: (GIRepository.enum_info_get_n_methods, GIRepository.enum_info_get_method),
        }.get(t)
        if getter is None:
            continue
        for n in range(getter[0](info)):
            f = getter[1](info, n)
            flags = GIRepository.function_info_get_flags(f)
            visit(f, bool(flags & GIRepository.FunctionInfoFlags.IS_METHOD))
