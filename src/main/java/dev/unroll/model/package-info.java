/** Models built of layers. */
package dev.unroll.model;
