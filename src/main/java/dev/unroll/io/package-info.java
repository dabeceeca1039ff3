/** Weights in and out, as safetensors files. */
package dev.unroll.io;
