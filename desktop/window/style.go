package window

// style is what the window adds to the desktop's theme. Colours that say
// something stand beside words that say the same.
const style = `
.messngr-tools button label { padding: 0 0.25em; }
.messngr-name { font-weight: bold; }
.messngr-claim { font-style: italic; }
.messngr-badge { border-radius: 0.4em; padding: 0.05em 0.55em; font-weight: bold; font-size: 90%; }
.messngr-unverified { background: #8a4b00; color: #ffffff; }
.messngr-proven { background: #14633a; color: #ffffff; }
.messngr-urgent { background: #a3001b; color: #ffffff; }
.messngr-tag { font-size: 85%; padding: 0 0.4em; border: 1px solid; border-radius: 0.4em; }
.messngr-tag-proven { font-weight: bold; }
.messngr-new { font-size: 85%; font-weight: bold; padding: 0 0.5em; border-radius: 0.4em; background: #1a5fb4; color: #ffffff; }
.messngr-strong { font-weight: bold; }
.messngr-small { font-size: 92%; }
.messngr-dim { opacity: 0.8; }
.messngr-title { font-weight: bold; font-size: 115%; }
.messngr-text { font-size: 110%; }
.messngr-caption { opacity: 0.8; }
.messngr-warning { background: #fff1c9; color: #4a2f00; border: 1px solid #b27a00; border-radius: 0.3em; padding: 0.35em 0.6em; }
`
