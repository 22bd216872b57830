package netcmd

import "strconv"

// firstNetwork is the first number that is NET's own; below are those of the
// system.
const firstNetwork = 2100

// message is what NET HELPMSG tells of a number. The text is that of Windows
// (lmerr.h, apperr.h); explanation and action are ours, for this service.
type message struct {
	number                    int
	text, explanation, action string
}

func parseNumber(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}

func lookup(number int) (message, bool) {
	for _, m := range messages() {
		if m.number == number {
			return m, true
		}
	}
	return message{}, false
}

const (
	downLevel   = "Forwarding belonged to LAN Manager. This service does not forward names, so\nthis message can only come from another machine."
	noAction    = "No action is needed."
	tryLater    = "Send the message again later."
	listAliases = "To list the names of this computer, type:\n\n  NET NAME"
)

func messages() []message {
	return []message{
		{5, "Access is denied.", "", ""},
		{53, "The network path was not found.", "", ""},
		{59, "An unexpected network error occurred.", "", ""},
		{87, "The parameter is incorrect.", "", ""},
		{123, "The filename, directory name, or volume label syntax is incorrect.", "", ""},
		{1326, "Logon failure: unknown user name or bad password.", "", ""},
		{2136, "A general network error occurred.",
			"The answer to the last part of the message was lost, or the service could not\nbe asked. The message may have arrived or not; it is not sent again by itself.",
			"Ask the recipient before you send it again. To see every attempt, type:\n\n  messngr sent show last"},
		{2182, "The requested service has already been started.",
			"The service runs.", "To list the services that are started, type:\n\n  NET START"},
		{2184, "The service has not been started.",
			"The command needs a service that does not run.", "To start it, type:\n\n  NET START service"},
		{2185, "The service name is invalid.",
			"This is not a service that this command knows.", "The services are MESSENGER and ALERTER."},
		{2191, "The requested pause, continue, or stop is not valid for this service.",
			"The service is not in a state in which that is possible.", "To see its state, type:\n\n  messngr status"},
		{2270, "The computer name could not be added as a message alias.  The name may already exist on the network.",
			"Another machine has this computer's name.", "Give one of the two another name. To see who has it, type:\n\n  messngr status"},
		{2271, "The Messenger service is already started.", "The service runs.", noAction},
		{2272, "The Messenger service failed to start.", "The service could not begin its work.",
			"To see the reason, start it by hand:\n\n  messngr serve"},
		{2273, "The message alias could not be found on the network.",
			"Nobody answered for that name, or the machine that has it takes no messages.",
			"Check the spelling. If it is right, see that the other machine is on, that its\nMessenger service runs, and that no firewall keeps TCP port 139 and UDP ports 137\nand 138 closed. If you know its address, type:\n\n  messngr send --at ADDRESS NAME TEXT"},
		{2274, "This message alias has already been forwarded.", downLevel, noAction},
		{2275, "This message alias has been added but is still forwarded.", downLevel, noAction},
		{2276, "This message alias already exists locally.",
			"This computer has that name already.", "Use another name. " + listAliases},
		{2277, "The maximum number of added message aliases has been exceeded.",
			"This computer has as many names as it may have.", "To give one up, type:\n\n  NET NAME name /DELETE"},
		{2278, "The computer name could not be deleted.",
			"The name of the computer is its own as long as the service runs.", noAction},
		{2279, "Messages cannot be forwarded back to the same workstation.", downLevel, noAction},
		{2280, "An error occurred in the domain message processor.",
			"A message to a whole domain could not be handled.", "See the log of the service on the machine that reported it."},
		{2281, "The message was sent, but the recipient has paused the Messenger service.",
			"The other machine was told to take no messages for now.", tryLater},
		{2282, "The message was sent but not received.",
			"The other machine did not take the message: its Messenger service may be off,\nits policy may refuse this sender, or the message may be too long for it.",
			"To see what it said, type:\n\n  messngr sent show last"},
		{2283, "The message alias is currently in use. Try again later.",
			"The other machine is busy with other messages.", tryLater},
		{2284, "The Messenger service has not been started.",
			"No service runs on this computer, or it cannot be asked.", "To start it, type:\n\n  NET START MESSENGER"},
		{2285, "The name is not on the local computer.",
			"This computer does not have that name.", "Check the spelling. " + listAliases},
		{2286, "The forwarded message alias could not be found on the network.", downLevel, noAction},
		{2287, "The message alias table on the remote station is full.", downLevel, noAction},
		{2288, "Messages for this alias are not currently being forwarded.", downLevel, noAction},
		{2289, "The broadcast message was truncated.",
			"Windows sent only the first 128 characters of a broadcast. This service never\ncuts a message.", noAction},
		{2294, "This is an invalid device name.", "", ""},
		{2295, "A write fault occurred.",
			"The log of messages could not be written.", "See that the disk is not full."},
		{2297, "A duplicate message alias exists on the network.",
			"Another machine has that name.", "Use another name. To see who has it, type:\n\n  messngr name add NAME"},
		{2298, "This message alias will be deleted later.",
			"The network has not released the name yet.", noAction},
		{2299, "The message alias was not successfully deleted from all networks.",
			"On one of the networks of this computer the name could not be released.", noAction},
		{3500, "The command completed successfully.", "", ""},
		{3503, "The command contains an invalid number of arguments.", "", ""},
		{3506, "The option *** is unknown.",
			"The command does not have that option.", "To see the syntax of the command, type:\n\n  NET HELP command"},
		{3521, "The *** service is not started.",
			"The command needs a service that does not run.", "To start it, type:\n\n  NET START service"},
		{3523, "The *** service could not be started.",
			"The service is not installed, or it could not begin its work.", "To see the reason, start it by hand:\n\n  messngr serve"},
		{3547, "A service specific error occurred: ***.", "", ""},
		{3722, "An error occurred while sending a message to ***.",
			"The line below this one says why.", "Type NET HELPMSG and the number that is given there."},
		{3752, "No users have sessions with this server.", "", ""},
		{3777, "Sending files is no longer supported.", "", ""},
		{3871, "*** is not a valid Windows network message number.",
			"There is no such message, or it does not belong to the commands of the Messenger\nservice.", "Use the number without anything before it, such as NET HELPMSG 2273."},
	}
}

// topic is the help of one command.
type topic struct{ command, syntax, explanation string }

func helpOf(command string) (topic, bool) {
	for _, t := range topics() {
		if t.command == command {
			return t, true
		}
	}
	return topic{}, false
}

// syntaxOf returns the syntax of one command, or that of NET itself.
func syntaxOf(command string) string {
	if t, ok := helpOf(command); ok {
		return t.syntax
	}
	return "NET\n    [ CONTINUE | HELP | HELPMSG | NAME | PAUSE | SEND | START | STOP ]"
}

const helpText = `NET HELP
command
     -or-
NET command /HELP

  Commands available are:

  NET CONTINUE             NET NAME                 NET START
  NET HELP                 NET PAUSE                NET STOP
  NET HELPMSG              NET SEND

  NET HELP command explains a command; NET HELPMSG explains the number of an
  error. Everything else of this program: messngr --help`

func topics() []topic {
	return []topic{
		{"SEND", "NET SEND\n{name | * | /DOMAIN[:name] | /USERS} message",
			`NET SEND sends a message to a user, a computer, or another message name. The
recipient's Messenger service must run.

name             The user, computer or message name that gets the message. A name
                 with blanks needs quotation marks.
*                Everybody in this computer's workgroup. In a Unix shell it needs
                 quotation marks: '*'.
/DOMAIN[:name]   Everybody in this computer's workgroup, or in the named one.
/USERS           Everybody with an open session on this server.
message          The text: the rest of the line.`},
		{"NAME", "NET NAME\n[\\\\computer] [name [/ADD | /DELETE]] [/USER:[domain\\]user]",
			`NET NAME lists, adds and deletes the names that this computer receives messages
for. A name has at most 15 characters and only one owner on the network. Without
options it lists the names.

\\computer   The names of another computer, where messngr serves them beside
             Samba. In a Unix shell it needs quotation marks: '\\computer'.
name         The name to be added or deleted.
/ADD         Adds the name; it need not be typed.
/DELETE      Deletes the name.
/USER        Who you are on that computer. The password is asked for, or taken
             from MESSNGR_PASSWORD.`},
		{"START", "NET START\n[service]",
			"NET START starts a service, or lists the services that are started.\n\nservice   MESSENGER or ALERTER."},
		{"STOP", "NET STOP\nservice",
			"NET STOP stops a service. No more messages are received until it is started.\n\nservice   MESSENGER or ALERTER."},
		{"PAUSE", "NET PAUSE\nservice",
			"NET PAUSE makes a service refuse messages, without giving up its names. Senders\nare told that it is paused.\n\nservice   MESSENGER or ALERTER."},
		{"CONTINUE", "NET CONTINUE\nservice",
			"NET CONTINUE makes a paused service take messages again.\n\nservice   MESSENGER or ALERTER."},
		{"HELPMSG", "NET HELPMSG\nmessage#",
			"NET HELPMSG explains the message with that number.\n\nmessage#   The number, of four digits, that the message was printed with."},
		{"HELP", helpText, "NET HELP explains a command."},
	}
}
