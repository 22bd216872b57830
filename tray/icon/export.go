package icon

import (
	"errors"
	"strings"

	"github.com/godbus/dbus/v5"
)

const (
	propertiesInterface = "org.freedesktop.DBus.Properties"
	introspectInterface = "org.freedesktop.DBus.Introspectable"
)

// export puts the item and its menu on the bus. It does so by tables of
// functions: to export a value, godbus looks its methods up by reflection, and
// for that the linker would keep every method of the whole program (3 MB).
func (i *Icon) export() error {
	for _, object := range []struct {
		path       dbus.ObjectPath
		name       string
		methods    map[string]any
		properties func() map[string]dbus.Variant
		xml        string
	}{
		{itemPath, item, i.itemMethods(), i.properties, itemXML},
		{menuPath, menu, i.menuMethods(), menuProperties, menuXML},
	} {
		describe := map[string]any{"Introspect": func() (string, *dbus.Error) { return object.xml, nil }}
		err := errors.Join(
			i.conn.ExportMethodTable(object.methods, object.path, object.name),
			i.conn.ExportMethodTable(propertyMethods(object.properties), object.path, propertiesInterface),
			i.conn.ExportMethodTable(describe, object.path, introspectInterface))
		if err != nil {
			return err
		}
	}
	return nil
}

// propertyMethods is org.freedesktop.DBus.Properties for properties that nobody
// can set.
func propertyMethods(all func() map[string]dbus.Variant) map[string]any {
	return map[string]any{
		"Get": func(_, name string) (dbus.Variant, *dbus.Error) {
			v, ok := all()[name]
			if !ok {
				return v, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{"no such property"})
			}
			return v, nil
		},
		"GetAll": func(string) (map[string]dbus.Variant, *dbus.Error) { return all(), nil },
		"Set": func(_, _ string, _ dbus.Variant) *dbus.Error {
			return dbus.NewError("org.freedesktop.DBus.Error.PropertyReadOnly", []any{"nothing can be set"})
		},
	}
}

// escape writes plain text for the tool tip, which may hold markup.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", "<br/>").Replace(s)
}

const xmlHead = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node><interface name="org.freedesktop.DBus.Properties">
<method name="Get"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/></method>
<method name="GetAll"><arg type="s" direction="in"/><arg type="a{sv}" direction="out"/></method>
<signal name="PropertiesChanged"><arg type="s"/><arg type="a{sv}"/><arg type="as"/></signal></interface>
`

const itemXML = xmlHead + `<interface name="org.kde.StatusNotifierItem">
<property name="Category" type="s" access="read"/><property name="Id" type="s" access="read"/>
<property name="Title" type="s" access="read"/><property name="Status" type="s" access="read"/>
<property name="WindowId" type="i" access="read"/><property name="IconName" type="s" access="read"/>
<property name="IconThemePath" type="s" access="read"/><property name="IconPixmap" type="a(iiay)" access="read"/>
<property name="OverlayIconName" type="s" access="read"/><property name="OverlayIconPixmap" type="a(iiay)" access="read"/>
<property name="AttentionIconName" type="s" access="read"/><property name="AttentionIconPixmap" type="a(iiay)" access="read"/>
<property name="AttentionMovieName" type="s" access="read"/><property name="ToolTip" type="(sa(iiay)ss)" access="read"/>
<property name="ItemIsMenu" type="b" access="read"/><property name="Menu" type="o" access="read"/>
<method name="Activate"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<method name="SecondaryActivate"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<method name="ContextMenu"><arg type="i" direction="in"/><arg type="i" direction="in"/></method>
<method name="Scroll"><arg type="i" direction="in"/><arg type="s" direction="in"/></method>
<method name="ProvideXdgActivationToken"><arg type="s" direction="in"/></method>
<signal name="NewTitle"/><signal name="NewIcon"/><signal name="NewAttentionIcon"/><signal name="NewOverlayIcon"/>
<signal name="NewToolTip"/><signal name="NewStatus"><arg type="s"/></signal>
</interface></node>`

const menuXML = xmlHead + `<interface name="com.canonical.dbusmenu">
<property name="Version" type="u" access="read"/><property name="TextDirection" type="s" access="read"/>
<property name="Status" type="s" access="read"/><property name="IconThemePath" type="as" access="read"/>
<method name="GetLayout"><arg type="i" direction="in"/><arg type="i" direction="in"/><arg type="as" direction="in"/><arg type="u" direction="out"/><arg type="(ia{sv}av)" direction="out"/></method>
<method name="GetGroupProperties"><arg type="ai" direction="in"/><arg type="as" direction="in"/><arg type="a(ia{sv})" direction="out"/></method>
<method name="GetProperty"><arg type="i" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/></method>
<method name="Event"><arg type="i" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="in"/><arg type="u" direction="in"/></method>
<method name="EventGroup"><arg type="a(isvu)" direction="in"/><arg type="ai" direction="out"/></method>
<method name="AboutToShow"><arg type="i" direction="in"/><arg type="b" direction="out"/></method>
<method name="AboutToShowGroup"><arg type="ai" direction="in"/><arg type="ai" direction="out"/><arg type="ai" direction="out"/></method>
<signal name="ItemsPropertiesUpdated"><arg type="a(ia{sv})"/><arg type="a(ias)"/></signal>
<signal name="LayoutUpdated"><arg type="u"/><arg type="i"/></signal>
</interface></node>`
