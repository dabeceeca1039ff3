/** What is measured, and what a library has to offer to be measured with it. */
package dev.unroll.bench.work;
