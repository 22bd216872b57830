package oem

// The upper halves (0x80-0xFF) of the single-byte pages that golang.org/x/text
// does not carry, 16 characters a line, U+FFFD where a byte stands for nothing.
// They were generated from the codecs cp720 ... cp869 of CPython 3.11, which
// follow the tables that Microsoft and IBM gave to unicode.org. Arabic letters
// are written as escapes so that no line of source runs from right to left.
//
// The lower half is ASCII in every page here. IBM's table of 864 calls 0x25 the
// Arabic percent sign; it is read as "%", so that ASCII text is always itself.
const (
	// cp720 is Arabic (DOS, Microsoft).
	cp720 = "" +
		"\u0080\u0081éâ\u0084à\u0086çêëèïî\u008d\u008e\u008f" + // 80
		"\u0090\u0651\u0652ô¤\u0640ûù\u0621\u0622\u0623\u0624£\u0625\u0626\u0627" + // 90
		"\u0628\u0629\u062a\u062b\u062c\u062d\u062e\u062f\u0630\u0631\u0632\u0633\u0634\u0635«»" + // A0
		"░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" + // B0
		"└┴┬├─┼╞╟╚╔╩╦╠═╬╧" + // C0
		"╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" + // D0
		"\u0636\u0637\u0638\u0639\u063a\u0641µ\u0642\u0643\u0644\u0645\u0646\u0647\u0648\u0649\u064a" + // E0
		"≡\u064b\u064c\u064d\u064e\u064f\u0650≈°∙·√ⁿ²■\u00a0" // F0

	// cp737 is Greek.
	cp737 = "" +
		"ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠ" + // 80
		"ΡΣΤΥΦΧΨΩαβγδεζηθ" + // 90
		"ικλμνξοπρσςτυφχψ" + // A0
		"░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" + // B0
		"└┴┬├─┼╞╟╚╔╩╦╠═╬╧" + // C0
		"╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" + // D0
		"ωάέήϊίόύϋώΆΈΉΊΌΎ" + // E0
		"Ώ±≥≤ΪΫ÷≈°∙·√ⁿ²■\u00a0" // F0

	// cp775 is Baltic.
	cp775 = "" +
		"ĆüéāäģåćłēŖŗīŹÄÅ" + // 80
		"ÉæÆōöĢ¢ŚśÖÜø£Ø×¤" + // 90
		"ĀĪóŻżź”¦©®¬½¼Ł«»" + // A0
		"░▒▓│┤ĄČĘĖ╣║╗╝ĮŠ┐" + // B0
		"└┴┬├─┼ŲŪ╚╔╩╦╠═╬Ž" + // C0
		"ąčęėįšųūž┘┌█▄▌▐▀" + // D0
		"ÓßŌŃõÕµńĶķĻļņĒŅ’" + // E0
		"\u00ad±“¾¶§÷„°∙·¹³²■\u00a0" // F0

	// cp857 is Turkish.
	cp857 = "" +
		"ÇüéâäàåçêëèïîıÄÅ" + // 80
		"ÉæÆôöòûùİÖÜø£ØŞş" + // 90
		"áíóúñÑĞğ¿®¬½¼¡«»" + // A0
		"░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐" + // B0
		"└┴┬├─┼ãÃ╚╔╩╦╠═╬¤" + // C0
		"ºªÊËÈ\ufffdÍÎÏ┘┌█▄¦Ì▀" + // D0
		"ÓßÔÒõÕµ\ufffd×ÚÛÙìÿ¯´" + // E0
		"\u00ad±\ufffd¾¶§÷¸°¨·¹³²■\u00a0" // F0

	// cp861 is Icelandic.
	cp861 = "" +
		"ÇüéâäàåçêëèÐðÞÄÅ" + // 80
		"ÉæÆôöþûÝýÖÜø£Ø₧ƒ" + // 90
		"áíóúÁÍÓÚ¿⌐¬½¼¡«»" + // A0
		"░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" + // B0
		"└┴┬├─┼╞╟╚╔╩╦╠═╬╧" + // C0
		"╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" + // D0
		"αßΓπΣσµτΦΘΩδ∞φε∩" + // E0
		"≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0" // F0

	// cp864 is Arabic (IBM).
	cp864 = "" +
		"°·∙√▒─│┼┤┬├┴┐┌└┘" + // 80
		"β∞φ±½¼≈«»\ufef7\ufef8\ufffd\ufffd\ufefb\ufefc\ufffd" + // 90
		"\u00a0\u00ad\ufe82£¤\ufe84\ufffd\ufffd\ufe8e\ufe8f\ufe95\ufe99\u060c\ufe9d\ufea1\ufea5" + // A0
		"\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\ufed1\u061b\ufeb1\ufeb5\ufeb9\u061f" + // B0
		"¢\ufe80\ufe81\ufe83\ufe85\ufeca\ufe8b\ufe8d\ufe91\ufe93\ufe97\ufe9b\ufe9f\ufea3\ufea7\ufea9" + // C0
		"\ufeab\ufead\ufeaf\ufeb3\ufeb7\ufebb\ufebf\ufec1\ufec5\ufecb\ufecf¦¬÷×\ufec9" + // D0
		"\u0640\ufed3\ufed7\ufedb\ufedf\ufee3\ufee7\ufeeb\ufeed\ufeef\ufef3\ufebd\ufecc\ufece\ufecd\ufee1" + // E0
		"\ufe7d\u0651\ufee5\ufee9\ufeec\ufef0\ufef2\ufed0\ufed5\ufef5\ufef6\ufedd\ufed9\ufef1■\ufffd" // F0

	// cp869 is Greek (IBM).
	cp869 = "" +
		"\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdΆ\ufffd·¬¦‘’Έ―Ή" + // 80
		"ΊΪΌ\ufffd\ufffdΎΫ©Ώ²³ά£έήί" + // 90
		"ϊΐόύΑΒΓΔΕΖΗ½ΘΙ«»" + // A0
		"░▒▓│┤ΚΛΜΝ╣║╗╝ΞΟ┐" + // B0
		"└┴┬├─┼ΠΡ╚╔╩╦╠═╬Σ" + // C0
		"ΤΥΦΧΨΩαβγ┘┌█▄δε▀" + // D0
		"ζηθικλμνξοπρσςτ΄" + // E0
		"\u00ad±υφχ§ψ΅°¨ωϋΰώ■\u00a0" // F0
)
