//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tree lists a process and its living descendants.
func tree(pid int) []int {
	all := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		b, _ := os.ReadFile(list) // a thread that has just ended has no children
		for field := range strings.FieldsSeq(string(b)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, tree(child)...)
			}
		}
	}
	return all
}

// tick is the unit of the times in /proc/PID/stat: USER_HZ, 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpu is the processor time that a process, its living descendants and its ended children have used.
func cpu(pid int) (time.Duration, error) {
	var total time.Duration
	for _, p := range tree(pid) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil {
			if p == pid {
				return 0, err
			}
			continue
		}
		// The command's name, in parentheses, may hold anything. utime, stime, cutime and cstime are fields 14 to 17
		// of the line, 12 to 15 after it.
		_, rest, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
		fields := strings.Fields(rest)
		for _, f := range fields[11:15] {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * tick
		}
	}
	return total, nil
}

// settled waits until a process has no more descendants than n: those of a fork per connection end some time after it.
func settled(pid, n int) {
	for range 500 {
		if len(tree(pid)) <= n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// memory is the proportional set size, in bytes, of some processes and their descendants: memory that several share is
// counted once.
func memory(pids ...int) (total int, err error) {
	for _, root := range pids {
		for _, p := range tree(root) {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
			if err != nil {
				return 0, err
			}
			for line := range strings.Lines(string(b)) {
				if size, ok := strings.CutPrefix(line, "Pss:"); ok {
					n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(size), "kB")))
					if err != nil {
						return 0, err
					}
					total += n * 1024
				}
			}
		}
	}
	return total, nil
}
