package popup

import (
	"strings"

	"messngr/desktop/describe"
	"messngr/desktop/gtk"
)

// The part of a card that asks for an answer.

// besideAnswers is how many characters of the row of buttons are for others when
// it has the answers as well.
const besideAnswers = 24

// gapAnswers is how many pixels are between two answers.
const gapAnswers = 8

// question makes the answers that were asked for. If they have no room beside the
// other buttons they are in rows of their own. The letters that are taken press
// something else.
func (c *card) question(taken describe.Letters) gtk.Box {
	column := c.p.cfg.App.NewColumn(8)
	column.Add(c.p.cfg.App.NewLabel(c.p.cfg.Words.Popup.Choose))
	em, _ := c.text.TextSize("0", 0, 0)
	left := c.width - besideAnswers*em
	for _, answer := range describe.Answers(&c.m) {
		b := c.p.cfg.App.NewButton(taken.Mark(answer))
		b.OnClick(c.guard.click(func() { c.answer(answer) }))
		b.ShowAll()
		left -= b.NaturalWidth() + gapAnswers
		c.answers = append(c.answers, b)
	}
	if c.beside = left >= 0; !c.beside {
		column.AddWrapped(c.answers, gapAnswers, c.width, gtk.Start)
	}
	return column
}

// okText is OK, without its letter where answers need the letters more: there it
// comes up only when no answer could be sent.
func (c *card) okText() string {
	ok := c.p.cfg.Words.Popup.OK
	if len(c.m.Answers) > 0 {
		return strings.Replace(ok, "_", "", 1)
	}
	return ok
}

// answer sends one of the answers that were asked for.
func (c *card) answer(text string) {
	c.setAnswering(true)
	c.p.reply(c.m, text, func(outcome string, sent bool) {
		if c.p.screen != c {
			return
		}
		if sent {
			c.p.remove(c.m.ID)
			return
		}
		// The answer did not leave: it may be given again, or the message be put
		// aside.
		c.setAnswering(false)
		c.say(outcome)
		c.ok.SetVisible(true)
	})
}

func (c *card) setAnswering(on bool) {
	for _, b := range c.answers {
		b.SetSensitive(!on)
	}
	if on {
		c.say(c.p.cfg.Words.Popup.Sending)
	}
}
