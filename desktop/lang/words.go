package lang

// Words is everything that a person reads. A "_" marks the letter that presses
// a button together with Alt; it is unlike all others in the same window. Words
// with %s, %d and the like are formats; where a translation needs the values in
// another order it writes %[2]s.
type Words struct {
	// Name is the language's own name.
	Name string `json:"name"`
	// Today, ThisYear, Day and Both are layouts of Go's package time: the time of
	// a message of today, the day in few letters if it was this year, the day, and
	// the time of an older message.
	Today    string `json:"today"`
	ThisYear string `json:"this_year"`
	Day      string `json:"day"`
	Both     string `json:"both"`

	Popup     Popup     `json:"popup"`
	Digest    Digest    `json:"digest"`
	Emergency Emergency `json:"emergency"`
	Trust     Trust     `json:"trust"`
	Way       Way       `json:"way"`
	Window    Window    `json:"window"`
	Compose   Compose   `json:"compose"`
	Options   Options   `json:"options"`
	Outcome   Outcome   `json:"outcome"`
	Trouble   Trouble   `json:"trouble"`
}

// Popup is the window that shows one message.
type Popup struct {
	Title    string `json:"title"`    // %s: the sender
	Sender   string `json:"sender"`   // %s: the sender, %s: a word of Trust
	Spoken   string `json:"spoken"`   // %s: the sender, as above
	Urgent   string `json:"urgent"`   // badge
	Drill    string `json:"drill"`    // badge
	Claims   string `json:"claims"`   // %s: a name that nobody has proven
	Received string `json:"received"` // %s: the addressee, %s: the time
	Message  string `json:"message"`  // name of the text for screen readers
	Choose   string `json:"choose"`
	Until    string `json:"until"`   // %s: the time
	Counter  string `json:"counter"` // %d of %d
	Later    string `json:"later"`   // %d: minutes
	OK       string `json:"ok"`
	Reply    string `json:"reply"`
	Next     string `json:"next"`
	ReplyTo  string `json:"reply_to"` // %s: the recipient
	Send     string `json:"send"`
	Cancel   string `json:"cancel"`
	Sending  string `json:"sending"`
	NoReply  string `json:"no_reply"`
	Forged   string `json:"forged"` // %s: a reserved name
}

// Digest is the window that stands for many messages.
type Digest struct {
	Title   string `json:"title"`
	Waiting Plural `json:"waiting"` // %d messages
	Line    Plural `json:"line"`    // %d messages of one sender
	More    Plural `json:"more"`    // %d more senders
	Kept    string `json:"kept"`
	Each    string `json:"each"`
	Open    string `json:"open"`
	Later   string `json:"later"`
}

// Emergency covers the screens.
type Emergency struct {
	Real      string `json:"real"`
	Drill     string `json:"drill"`
	DrillWord string `json:"drill_word"` // repeated along the edges
	DrillLong string `json:"drill_long"`
	From      string `json:"from"` // %s: the sender, %s: how it is proven, %s: the time
	Seen      string `json:"seen"`
	Next      string `json:"next"`
}

// Trust says how it is known who a sender is: a word, and a sentence.
type Trust struct {
	Unverified       string `json:"unverified"`
	UnverifiedLong   string `json:"unverified_long"` // %s: the way
	FirstContact     string `json:"first_contact"`
	FirstContactLong string `json:"first_contact_long"`
	Vouched          string `json:"vouched"`
	VouchedHere      string `json:"vouched_here"` // %s: the login name
	Service          string `json:"service"`
	VouchedLong      string `json:"vouched_long"` // %s: the proven name, %s: the way
	Paired           string `json:"paired"`
	PairedLong       string `json:"paired_long"` // %s: the proven name, %s: the way
	Site             string `json:"site"`
	SiteLong         string `json:"site_long"` // %s: the proven name, %s: the way
	As               string `json:"as"`        // %s: the proven name, %s: the name that it gave itself
	Nobody           string `json:"nobody"`    // a sender without a name
}

// Way says how a message came.
type Way struct {
	By   string `json:"by"`   // %s: the transport
	From string `json:"from"` // %s: the transport, %s: the address
	Here string `json:"here"`
}

// Window is the window with all messages.
type Window struct {
	Title        string `json:"title"`
	TitleOf      string `json:"title_of"` // %s: this computer
	Previous     string `json:"previous"`
	Next         string `json:"next"`
	Reply        string `json:"reply"`
	Discard      string `json:"discard"`
	Send         string `json:"send"`
	Menu         string `json:"menu"`
	Options      string `json:"options"`
	About        string `json:"about"`
	AboutText    string `json:"about_text"`
	Quit         string `json:"quit"`
	Search       string `json:"search"`
	List         string `json:"list"`    // name of the list for screen readers
	Row          string `json:"row"`     // %s sender, %s trust, %s time, %s text: a row for screen readers
	RowNew       string `json:"row_new"` // the same for one that was not read
	New          string `json:"new"`
	MessageFrom  string `json:"message_from"`
	To           string `json:"to"`
	Date         string `json:"date"`
	Text         string `json:"text"`
	Counter      string `json:"counter"` // %d current, %d total
	CounterNone  string `json:"counter_none"`
	CounterFound string `json:"counter_found"` // %d current, %d found
	Empty        string `json:"empty"`
	EmptyHint    string `json:"empty_hint"` // %s: this computer
	NotFound     string `json:"not_found"`
	Discarded    string `json:"discarded"`
	Undo         string `json:"undo"`
}

// Compose is the window to write a message in.
type Compose struct {
	Title      string `json:"title"`
	TitleReply string `json:"title_reply"`
	To         string `json:"to"`
	ToHint     string `json:"to_hint"`
	Person     string `json:"person"`
	Workgroup  string `json:"workgroup"`
	Text       string `json:"text"`
	Send       string `json:"send"`
	SendAll    string `json:"send_all"`
	Cancel     string `json:"cancel"`
	Everybody  string `json:"everybody"` // %s: the workgroup
	NoText     string `json:"no_text"`
	NoOne      string `json:"no_one"`
	TooLong    string `json:"too_long"` // %d: KiB
	Sending    string `json:"sending"`
	Quote      string `json:"quote"` // %s: the sender
}

// Options is the window of the options.
type Options struct {
	Title     string `json:"title"`
	Sound     string `json:"sound"`
	OnTop     string `json:"on_top"`
	PopUp     string `json:"pop_up"`
	Quote     string `json:"quote"`
	History   string `json:"history"`
	Forget    string `json:"forget"`
	Forgotten string `json:"forgotten"`
	Close     string `json:"close"`
}

// Outcome says what became of a message that was sent. %s is the recipient.
type Outcome struct {
	Queued       string `json:"queued"`
	Sent         string `json:"sent"`
	Accepted     string `json:"accepted"`
	Delivered    string `json:"delivered"`
	Displayed    string `json:"displayed"`
	Acknowledged string `json:"acknowledged"`
	Answered     string `json:"answered"`
	Refused      string `json:"refused"`
	Failed       string `json:"failed"`
	Expired      string `json:"expired"`
	Retracted    string `json:"retracted"`
	Unknown      string `json:"unknown"`
	UnknownName  string `json:"unknown_name"`
	Busy         string `json:"busy"`
	Paused       string `json:"paused"`
	TooLong      string `json:"too_long"`
	Unavailable  string `json:"unavailable"`
	Forbidden    string `json:"forbidden"`
}

// Trouble is what keeps the program from doing what it is asked.
type Trouble struct {
	NoService   string `json:"no_service"`
	NoAccess    string `json:"no_access"`
	NoAnswer    string `json:"no_answer"`
	Declined    string `json:"declined"`     // %s: what the service says
	OptionsFile string `json:"options_file"` // %s: the reason
}
