# A screen reader for tests: it answers one JSON command a line with one JSON
# line, and remembers the events that screen readers act upon.
import json
import os
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import GLib
import pyatspi

APP = sys.argv[1]
events = []
pending = b""


def app():
    desktop = pyatspi.Registry.getDesktop(0)
    for i in range(desktop.childCount):
        child = desktop.getChildAtIndex(i)
        if child is not None and child.name == APP:
            return child
    return None


def text(node):
    try:
        t = node.queryText()
        return t.getText(0, t.characterCount)
    except NotImplementedError:
        return ""


def char_height(node):
    try:
        t = node.queryText()
        return max((t.getCharacterExtents(i, 0)[3] for i in range(min(t.characterCount, 20))), default=0)
    except NotImplementedError:
        return 0


def line_starts(node):
    """Where the first letter of each line is."""
    try:
        t = node.queryText()
        all_text = t.getText(0, min(t.characterCount, 2000))
    except NotImplementedError:
        return []
    starts = [0] + [i + 1 for i, c in enumerate(all_text) if c == "\n"]
    return [t.getCharacterExtents(i, 0)[0] for i in starts[:20]]


def selected(node):
    try:
        t = node.queryText()
        return t.getText(*t.getSelection(0)) if t.getNSelections() else ""
    except NotImplementedError:
        return ""


def labelled(node):
    for r in node.getRelationSet():
        if r.getRelationType() == pyatspi.RELATION_LABELLED_BY:
            return r.getTarget(0).name
    return ""


def describe(node, depth=0):
    states = [pyatspi.stateToString(s) for s in node.getState().getStates()]
    e = {
        "role": node.getRoleName(),
        "name": node.name,
        "description": node.description,
        "states": states,
        "text": text(node),
        "lineStarts": line_starts(node) if "showing" in states else [],
        "selected": selected(node),
        "labelledBy": labelled(node),
        # GTK complains when it is asked for the places of text that is not there.
        "charHeight": char_height(node) if "showing" in states else 0,
        "children": [],
    }
    try:
        if "showing" not in states:
            raise NotImplementedError
        c = node.queryComponent().getExtents(0)
        e["x"], e["y"], e["width"], e["height"] = c.x, c.y, c.width, c.height
    except NotImplementedError:
        pass
    try:
        a = node.queryAction()
        e["actions"] = [a.getName(i) for i in range(a.nActions)]
        e["keys"] = [a.getKeyBinding(i) for i in range(a.nActions)]
    except NotImplementedError:
        pass
    if depth < 40:
        # A long list is looked at from its beginning.
        most = 60 if e["role"] == "list box" else 400
        for i in range(min(node.childCount, most)):
            child = node.getChildAtIndex(i)
            if child is not None:
                e["children"].append(describe(child, depth + 1))
    return e


def find(node, role, name, depth=0):
    if node.getRoleName() == role and node.name == name and node.getState().contains(pyatspi.STATE_SHOWING):
        return node
    for i in range(min(node.childCount, 400)):
        child = node.getChildAtIndex(i)
        found = find(child, role, name, depth + 1) if child is not None and depth < 40 else None
        if found is not None:
            return found
    return None


def do(cmd):
    what = cmd["do"]
    if what == "events":
        seen = list(events)
        events.clear()
        return {"events": seen}
    a = app()
    if a is None:
        return {"error": "no application " + APP}
    # What is asked for is looked up anew: the memory of what was there is that of
    # the library of screen readers, not of the program under test.
    a.clear_cache()
    if what == "tree":
        return {"tree": describe(a)}
    node = find(a, cmd["role"], cmd["name"])
    if node is None:
        return {"error": "nothing is a %s called %s" % (cmd["role"], cmd["name"])}
    action = node.queryAction()
    for _ in range(cmd.get("times", 1)):
        if not action.doAction(0):
            return {"error": "refused"}
    return {}


def on_event(e):
    try:
        events.append({
            "type": str(e.type), "role": e.source.getRoleName(), "name": e.source.name,
            "description": e.source.description, "detail": e.detail1,
        })
    except Exception as err:  # the source may be gone already
        events.append({"type": str(e.type), "role": "", "name": "", "description": str(err), "detail": 0})


def on_input(fd, condition):
    global pending
    chunk = os.read(fd, 65536)
    if not chunk:
        pyatspi.Registry.stop()
        return False
    pending += chunk
    while b"\n" in pending:
        line, pending = pending.split(b"\n", 1)
        try:
            answer = do(json.loads(line))
        except Exception as err:
            answer = {"error": "%s: %s" % (type(err).__name__, err)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return True


for name in ("window:create", "window:activate", "object:state-changed:showing"):
    pyatspi.Registry.registerEventListener(on_event, name)
GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, on_input)
sys.stdout.write("{}\n")
sys.stdout.flush()
pyatspi.Registry.start()
