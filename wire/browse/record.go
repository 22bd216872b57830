package browse

import (
	"strconv"
	"strings"
)

// Record is one line of nmbd's file browse.dat. Unlike on the wire its words are in the
// character set of the host, which is UTF-8.
//
//	"ALPHA"                   40819a03 "The master"                  "TESTGRP"
//	 name                     type      comment                       workgroup
//
// The line of a workgroup has Workgroups in its type, and its master browser for comment.
type Record struct {
	Name      string
	Type      ServerType
	Comment   string
	Workgroup string
}

// ParseRecords reads the file. Lines that are none are left out: nmbd may be writing.
func ParseRecords(b []byte) []Record {
	var list []Record
	for line := range strings.Lines(string(b)) {
		if r, ok := parseRecord(strings.TrimSpace(line)); ok {
			list = append(list, r)
		}
	}
	return list
}

func parseRecord(line string) (Record, bool) {
	name, rest, ok := cutQuoted(line)
	if !ok || name == "" {
		return Record{}, false
	}
	word, rest, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if !ok {
		return Record{}, false
	}
	bits, err := strconv.ParseUint(word, 16, 32)
	if err != nil {
		return Record{}, false
	}
	// The comment may contain quotation marks, the workgroup does not.
	rest = strings.TrimSpace(rest)
	if len(rest) < 2 || !strings.HasPrefix(rest, `"`) || !strings.HasSuffix(rest, `"`) {
		return Record{}, false
	}
	begin := strings.LastIndex(rest[:len(rest)-1], `"`)
	if begin < 1 {
		return Record{}, false
	}
	comment := strings.TrimRight(rest[:begin], " ")
	if len(comment) < 2 || !strings.HasSuffix(comment, `"`) {
		return Record{}, false
	}
	return Record{
		Name: name, Type: ServerType(bits),
		Comment: comment[1 : len(comment)-1], Workgroup: rest[begin+1 : len(rest)-1],
	}, true
}

// cutQuoted divides s behind its first quoted word.
func cutQuoted(s string) (word, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, false
	}
	return strings.Cut(s[1:], `"`)
}
