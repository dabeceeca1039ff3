package dev.unroll.model;

/**
 * How far a training is.
 *
 * @param epoch the current pass over the text, from 1
 * @param epochs passes in all
 * @param tokens tokens learned from so far, in all epochs
 * @param totalTokens tokens of all epochs
 * @param loss mean loss of the last window, in nats per token
 */
public record TrainingProgress(int epoch, int epochs, long tokens, long totalTokens, double loss) {}
