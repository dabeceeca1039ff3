/** The command line; it uses nothing of the library but its public classes. */
package dev.unroll.cli;
