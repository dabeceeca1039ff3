/** The library as a whole: settings, and memory that is used again. */
package dev.unroll;
