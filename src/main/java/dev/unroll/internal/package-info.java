/** Off-heap memory, native method declarations and library loading; not for users. */
package dev.unroll.internal;
