package popup

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
	"messngr/desktop/lang"
)

// digestSenders is how many senders a digest names.
const digestSenders = 5

// digest is the window that stands for many messages.
type digest struct {
	p     *Presenter
	win   gtk.Window
	guard guard
	count gtk.Label
	lines gtk.Box
	// filled is what the lines show.
	filled []gtk.Box
	total  int
	ids    []messngr.ID
}

func newDigest(p *Presenter, v inbox.View) *digest {
	app, words := p.cfg.App, p.cfg.Words
	d := &digest{p: p, win: app.NewWindow(words.Digest.Title)}
	d.win.SetIcon(icon)
	d.win.SetDialog()
	d.win.SetKeepAbove(true)
	d.win.SetUrgent(true)
	d.win.Center()
	d.win.SetRole(gtk.RoleAlert)
	d.win.OnClose(d.later)
	d.guard.watch(d.win, never)
	d.win.OnKey(func(k gtk.Key) bool {
		if k.Name == "Escape" {
			d.later()
			return true
		}
		return false
	})

	root := app.NewColumn(14)
	root.SetBorder(18)
	d.count = app.NewLabel("")
	d.count.AddClass("messngr-count")
	d.lines = app.NewColumn(8)
	kept := app.NewParagraph(words.Digest.Kept)
	kept.SetMaxChars(cardColumns)
	kept.AddClass("messngr-dim")
	root.Add(d.count, d.lines, kept)

	later := app.NewButton(words.Digest.Later)
	later.OnClick(d.guard.click(d.later))
	each := app.NewButton(words.Digest.Each)
	each.OnClick(d.guard.click(func() {
		p.queue.OneByOne()
		p.changed()
	}))
	list := app.NewButton(words.Digest.Open)
	list.AddClass("suggested-action")
	list.OnClick(d.guard.click(func() {
		p.cfg.OpenList()
		d.later()
	}))
	row := app.NewRow(8)
	row.AddEnd(list, each, later)
	root.Add(row)
	d.win.Add(root)
	d.win.SetDefault(list)
	d.update(v)
	em, _ := d.win.TextSize("0", 0, 0)
	across, _ := app.Room()
	d.win.SetSize(min(cardColumns*em, across*8/10), -1)
	d.win.ShowAll()
	d.win.SetFocus(list)
	d.win.Present()
	return d
}

// later closes the digest; what it stands for stays unread, and comes back.
func (d *digest) later() {
	d.p.queue.PutOff(time.Now(), d.ids...)
	d.p.changed()
}

func (d *digest) closing() { d.win.Destroy() }

func (d *digest) update(v inbox.View) {
	words := d.p.cfg.Words
	d.ids = d.ids[:0]
	for i := range v.Messages {
		d.ids = append(d.ids, v.Messages[i].ID)
	}
	if len(v.Messages) == d.total {
		return
	}
	d.total = len(v.Messages)
	count := words.Count(words.Digest.Waiting, d.total)
	d.count.SetText(count)
	groups := groupBySender(words, v.Messages)
	d.win.SetAccessible(count, groups[0].name)
	for _, old := range d.filled {
		old.Destroy()
	}
	d.filled = d.filled[:0]
	most := min(len(groups), d.senders())
	for _, g := range groups[:most] {
		d.fill(d.line(&g))
	}
	if more := len(groups) - most; more > 0 {
		row := d.p.cfg.App.NewRow(0)
		row.Add(d.p.cfg.App.NewLabel(words.Count(words.Digest.More, more)))
		d.fill(row)
	}
}

// senders is how many senders the screen has room for.
func (d *digest) senders() int {
	_, height := d.p.cfg.App.Room()
	_, line := d.win.TextSize("0", 0, 0)
	const linesEach, linesOfOthers = 3, 9
	return min(max((height/line-linesOfOthers)/linesEach, 1), digestSenders)
}

func (d *digest) fill(row gtk.Box) {
	d.filled = append(d.filled, row)
	row.ShowAll()
	d.lines.Add(row)
}

// line shows one sender, how many messages came, and the last one.
func (d *digest) line(g *group) gtk.Box {
	app, words := d.p.cfg.App, d.p.cfg.Words
	name := app.NewLabel(g.sender.Name)
	trust := badge(app, g.sender.Trust, "messngr-unverified")
	name.AddClass("messngr-hearsay")
	if g.sender.Proven {
		name.RemoveClass("messngr-hearsay")
		name.AddClass("messngr-strong")
		trust.RemoveClass("messngr-unverified")
		trust.AddClass("messngr-proven")
	}
	n := app.NewLabel(words.Count(words.Digest.Line, g.count))
	n.SetWhole()
	first := app.NewRow(10)
	first.Add(name, trust)
	first.AddEnd(n)
	text := app.NewLabel(fmt.Sprintf("%s  %s", describe.ShortTime(words, g.last.ReceivedAt, time.Now()), describe.Excerpt(&g.last)))
	text.AddClass("messngr-dim")
	text.SetMaxChars(cardColumns)
	column := app.NewColumn(2)
	column.Add(first, text)
	return column
}

// group is the messages of one sender.
type group struct {
	name   string
	sender describe.Sender
	count  int
	last   control.Message
}

// groupBySender lists senders, those with the most messages first. Senders of
// the same name whose proof or address differs are different ones.
func groupBySender(words *lang.Catalogue, messages []control.Message) []group {
	type key struct{ line, address string }
	byKey := make(map[key]*group)
	var order []key
	for i := range messages {
		m := &messages[i]
		k := key{describe.Line(words, m), m.Address}
		g := byKey[k]
		if g == nil {
			g = &group{name: k.line, sender: describe.Of(words, m)}
			byKey[k] = g
			order = append(order, k)
		}
		g.count++
		g.last = *m
	}
	list := make([]group, 0, len(order))
	for _, k := range order {
		list = append(list, *byKey[k])
	}
	slices.SortStableFunc(list, func(a, b group) int { return cmp.Compare(b.count, a.count) })
	return list
}
