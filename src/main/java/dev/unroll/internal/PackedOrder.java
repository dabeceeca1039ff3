package dev.unroll.internal;

/**
 * The arrays that describe a packed batch to the kernels. They are shared, never copied and never changed; native code
 * trusts them, so no public class hands them out.
 *
 * @param offsets [T + 1] first row of every step, and the number of rows
 * @param order [B] the caller's index of every packed sequence
 * @param positions [B] the packed index of every sequence of the caller
 */
public record PackedOrder(int[] offsets, int[] order, int[] positions) {}
