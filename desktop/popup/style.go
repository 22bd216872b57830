package popup

// style is what the windows add to the desktop's theme. Colours that say
// something stand beside words that say the same; each pair of text and ground
// has a contrast of at least 5 to 1. Sizes follow the size of the desktop's
// text.
const style = `
.messngr-name { font-weight: bold; font-size: 125%; }
.messngr-claim { font-weight: normal; font-style: italic; font-size: 125%; }
.messngr-hearsay { font-style: italic; }
.messngr-badge { border-radius: 0.4em; padding: 0.05em 0.55em; font-weight: bold; font-size: 90%; }
.messngr-unverified { background: #8a4b00; color: #ffffff; }
.messngr-proven { background: #14633a; color: #ffffff; }
.messngr-urgent { background: #a3001b; color: #ffffff; }
.messngr-drill { background: #000000; color: #ffd500; }
.messngr-dim { opacity: 0.8; }
.messngr-text { font-size: 115%; }
.messngr-small { font-size: 92%; }
.messngr-title { font-weight: bold; font-size: 115%; }
.messngr-warning { background: #fff1c9; color: #4a2f00; border: 1px solid #b27a00; border-radius: 0.3em; padding: 0.35em 0.6em; }
.messngr-error { font-weight: bold; }
.messngr-count { font-weight: bold; font-size: 150%; }

.messngr-emergency { background: #7d0014; color: #ffffff; }
.messngr-exercise { background: #12314f; color: #ffffff; }
.messngr-emergency label, .messngr-exercise label { color: #ffffff; }
.messngr-emergency textview, .messngr-emergency textview text,
.messngr-exercise textview, .messngr-exercise textview text { background: transparent; color: #ffffff; font-weight: bold; }
.messngr-emergency textview text selection, .messngr-exercise textview text selection { background: #ffffff; color: #000000; }
.messngr-emergency scrolledwindow, .messngr-exercise scrolledwindow { border: none; background: transparent; }
.messngr-strong { font-weight: bold; }
.messngr-band { background: #ffffff; }
.messngr-band label { color: #7d0014; font-weight: bold; }
.messngr-stripes { background-image: repeating-linear-gradient(-45deg, #ffd500 0px, #ffd500 40px, #000000 40px, #000000 80px); }
.messngr-stripes label { background: #000000; color: #ffd500; font-weight: bold; padding: 0 0.5em; }
.messngr-emergency button, .messngr-exercise button { background: #ffffff; border: 2px solid #ffffff; color: #000000; text-shadow: none; box-shadow: none; -gtk-icon-shadow: none; padding: 0.4em 1.2em; font-weight: bold; }
.messngr-emergency button label, .messngr-exercise button label { color: #000000; }
.messngr-emergency button:focus, .messngr-exercise button:focus { outline: 4px solid #000000; outline-offset: -10px; }
.messngr-emergency button:hover, .messngr-exercise button:hover { background: #ffe9a8; }
`
