/** Layers: forward and backward passes over packed batches. Conventions, names and shapes are PyTorch's. */
package dev.unroll.layer;
