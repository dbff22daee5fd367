// Package interop has no code of its own: its tests sign in and get tokens from
// grantor by the client libraries that Go programs use, as those programs would. It is
// a module by itself, so that nobody who uses grantor depends on these libraries.
package interop
