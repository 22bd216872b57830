// Package lab makes small networks of Linux hosts on one machine, for tests against real peers.
//
// A host is a process tree in network, mount, UTS, IPC and PID namespaces of its own: it has its own eth0, host name,
// /run, /var/lib and /var/spool, and shares the file system otherwise. Nothing has a name outside, so any number of labs run side by
// side without meeting, and none can reach the machine's own interfaces. The kernel takes a host apart, with every
// process and link in it, as soon as its first process ends; that one lives only as long as a pipe from this process
// stays open, so a crashed test leaves nothing behind.
//
// It needs Linux, root, and the ip command.
package lab
