//go:build !windows

package link

// BindsBroadcast says whether broadcasts need a socket of their own. A socket bound
// to the address of an interface hears nothing but what is sent to that address.
const BindsBroadcast = true
