package window

import (
	"context"
	"fmt"
	"strings"

	"messngr"
	"messngr/control"
	"messngr/desktop/describe"
	"messngr/desktop/gtk"
	"messngr/desktop/inbox"
)

// compose is the window to write a message in.
type compose struct {
	w    *Window
	win  gtk.Window
	busy bool
	// answered is the message that is answered; nil: it is a new one.
	answered *control.Message

	person, group gtk.Toggle
	to            gtk.Entry
	offers        gtk.Completion
	everybody     gtk.Label
	text          gtk.TextView
	outcome       gtk.Label
	send          gtk.Button
}

// The measures, in characters and lines.
const (
	composeColumns = 52
	composeLines   = 8
)

// send opens the window for a new message.
func (w *Window) send() { w.openCompose(nil) }

// reply opens the window for an answer to the current message.
func (w *Window) reply() {
	if m := w.box.at(); m != nil {
		kept := *m
		w.openCompose(&kept)
	}
}

// openCompose opens the window, or brings it to the front if it is open: what
// is being written is not thrown away.
func (w *Window) openCompose(answered *control.Message) {
	if w.compose != nil {
		w.compose.win.Present()
		return
	}
	app, words := w.cfg.App, w.cfg.Words
	c := &compose{w: w, answered: answered, win: app.NewWindow(words.Compose.Title)}
	w.compose = c
	c.win.SetIcon(icon)
	c.win.SetParent(w.win, false)
	c.win.OnClose(c.close)
	c.win.OnKey(c.key)
	root := app.NewColumn(10)
	root.SetBorder(16)
	if answered == nil {
		c.recipients(root)
	} else {
		c.win.SetTitle(words.Compose.TitleReply)
		c.recipient(root)
	}
	c.editor(root)
	c.win.Add(root)
	c.win.ShowAll()
	if answered == nil {
		c.to.GrabFocus()
	} else {
		c.text.GrabFocus()
	}
}

// recipient says who gets the answer.
func (c *compose) recipient(root gtk.Box) {
	app, words := c.w.cfg.App, c.w.cfg.Words
	req, _ := control.ReplyTo(c.answered)
	to := app.NewLabel(fmt.Sprintf(words.Popup.ReplyTo, inbox.Addressee(&req)))
	to.AddClass("messngr-title")
	root.Add(to)
}

// recipients asks who is to get the message.
func (c *compose) recipients(root gtk.Box) {
	app, words := c.w.cfg.App, c.w.cfg.Words
	c.to = app.NewEntry()
	c.to.SetPlaceholder(words.Compose.ToHint)
	c.to.SetChars(c.columns())
	c.to.SetAccessible(describe.Plain(words.Compose.To), "")
	c.person = app.NewRadio(gtk.Toggle{}, words.Compose.Person)
	c.group = app.NewRadio(c.person, words.Compose.Workgroup)
	row := app.NewRow(14)
	row.Add(app.NewMnemonic(words.Compose.To, c.to), c.person, c.group)
	c.everybody = app.NewParagraph("")
	c.everybody.AddClass("messngr-warning")
	c.everybody.SetMaxChars(c.columns())
	c.everybody.KeepHidden()
	root.Add(row, c.to, c.everybody)

	c.offers = c.to.NewCompletion(func(name string) {
		before, _ := lastName(c.to.Text())
		c.to.SetText(before + name)
	})
	c.to.OnChange(func() {
		if c.person.On() {
			c.offers.Offer(offers(c.to.Text(), c.w.known()))
		}
		c.check()
	})
	c.group.OnChange(c.chosen)
}

// columns is how many characters wide it is, as far as the screen goes.
func (c *compose) columns() int { return c.w.columns(composeColumns) }

// columns bounds a number of characters by the screen.
func (w *Window) columns(n int) int {
	em, _ := w.win.TextSize("0", 0, 0)
	return min(n, w.across*8/10/em)
}

// chosen changes between people and a workgroup.
func (c *compose) chosen() {
	c.offers.Offer(nil)
	switch {
	case c.group.On() && c.to.Text() == "":
		c.to.SetText(c.w.workgroup)
	case !c.group.On() && c.to.Text() == c.w.workgroup:
		c.to.SetText("")
	}
	c.check()
}

func (c *compose) editor(root gtk.Box) {
	app, words := c.w.cfg.App, c.w.cfg.Words
	const padding = 6
	c.text = app.NewTextView(true)
	c.text.SetPadding(padding, padding)
	c.text.SetAccessible(describe.Plain(words.Compose.Text), "")
	em, line := c.win.TextSize("0", 0, 0)
	s := app.NewScroll(c.text, true)
	s.SetMinSize(c.columns()*em, -1)
	s.SetMinHeight(min(composeLines*line, c.w.high*3/10))
	root.Add(app.NewMnemonic(words.Compose.Text, c.text))
	root.AddFilling(s)
	c.outcome = app.NewParagraph("")
	c.outcome.SetMaxChars(c.columns())
	c.outcome.AddClass("messngr-strong")
	c.outcome.KeepHidden()

	cancel := app.NewButton(words.Compose.Cancel)
	cancel.OnClick(c.close)
	c.send = app.NewButton(words.Compose.Send)
	c.send.AddClass("suggested-action")
	c.send.SetTooltip("Ctrl+↵")
	c.send.OnClick(c.onSend)
	row := app.NewRow(8)
	row.AddEnd(c.send, cancel)
	root.Add(c.outcome, row)
	if c.answered != nil && c.w.opts.Quote {
		c.text.SetText(quote(c.w.cfg.Words, c.answered))
		c.text.CursorToEnd()
	}
	c.text.OnChange(c.check)
	c.check()
}

// check shows what would happen, and allows to send when something is written.
func (c *compose) check() {
	words := c.w.cfg.Words
	ready := strings.TrimSpace(c.text.Text()) != ""
	if c.answered == nil {
		name := strings.TrimSpace(c.to.Text())
		group := c.group.On()
		ready = ready && len(recipients(name)) > 0
		c.everybody.SetText(fmt.Sprintf(words.Compose.Everybody, describe.Clean(name)))
		c.everybody.SetVisible(group && name != "")
		c.send.SetText(words.Compose.Send)
		if group {
			c.send.SetText(words.Compose.SendAll)
		}
	}
	c.send.SetSensitive(ready && !c.busy)
}

func (c *compose) key(k gtk.Key) bool {
	switch {
	case k.Name == "Escape" && c.text.Text() == "":
		c.close() // nothing is lost
	case (k.Name == "Return" || k.Name == "KP_Enter") && k.Ctrl:
		c.send.Click()
	default:
		return false
	}
	return true
}

func (c *compose) close() {
	if c.busy {
		return
	}
	c.w.compose = nil
	c.win.Destroy()
}

func (c *compose) onSend() {
	words := c.w.cfg.Words
	text := strings.TrimRight(c.text.Text(), "\n ")
	switch {
	case strings.TrimSpace(text) == "":
		c.say(words.Compose.NoText)
		return
	case len(text) > messngr.MaxText:
		c.say(fmt.Sprintf(words.Compose.TooLong, messngr.MaxText>>10))
		return
	}
	req := control.SendRequest{Text: text}
	if c.answered == nil {
		req.To = recipients(c.to.Text())
		if c.group.On() {
			req.To = []string{c.w.groupName(c.to.Text())}
		}
		if len(req.To) == 0 {
			c.say(words.Compose.NoOne)
			return
		}
	}
	c.busy = true
	c.check()
	c.say(words.Compose.Sending)
	c.w.asked.Go(func(ctx context.Context) {
		answer, err := c.deliver(ctx, req)
		c.w.cfg.App.Post(func() { c.done(answer, err) })
	})
}

// groupName is how a request names a workgroup.
func (w *Window) groupName(name string) string {
	if name = strings.TrimSpace(name); strings.EqualFold(name, w.workgroup) {
		return "/domain"
	}
	return "/domain:" + name
}

func (c *compose) deliver(ctx context.Context, req control.SendRequest) (control.SendAnswer, error) {
	if c.answered != nil {
		return inbox.Reply(ctx, c.w.cfg.Client, c.answered, req.Text)
	}
	return c.w.cfg.Client.Send(ctx, req)
}

// done shows what became of the message. Whoever was not reached stays in the
// field, so that it can be tried again for them alone.
func (c *compose) done(answer control.SendAnswer, err error) {
	c.busy = false
	words := c.w.cfg.Words
	if err != nil {
		c.say(describe.Trouble(words, err))
		c.check()
		return
	}
	var lines, reached, failed []string
	for i := range answer.Recipients {
		r := &answer.Recipients[i]
		lines = append(lines, describe.Outcome(words, r))
		if r.Reached {
			reached = append(reached, r.To)
		} else {
			failed = append(failed, r.To)
		}
	}
	if c.answered == nil && !c.group.On() && len(reached) > 0 {
		c.w.opts.Use(reached...)
		c.w.save()
	}
	if len(failed) == 0 {
		c.w.note.say(strings.Join(lines, "\n"))
		c.close()
		return
	}
	if c.answered == nil && !c.group.On() {
		c.to.SetText(strings.Join(failed, ", "))
	}
	c.say(strings.Join(lines, "\n"))
	c.check()
}

func (c *compose) say(text string) {
	c.outcome.SetText(text)
	c.outcome.SetVisible(text != "")
}

// known lists whom a message can be sent to: those that were written to, those
// that wrote, and the names of this computer.
func (w *Window) known() []string {
	list := append([]string(nil), w.opts.Recipients...)
	for i := range w.box.messages {
		if from := describe.Clean(w.box.messages[i].From); from != "" {
			list = append(list, from)
		}
	}
	return append(list, w.names...)
}
