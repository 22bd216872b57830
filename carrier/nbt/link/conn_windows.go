package link

// BindsBroadcast says whether broadcasts need a socket of their own. On Windows a
// socket bound to the address of an interface hears them too, and no other can be.
const BindsBroadcast = false
