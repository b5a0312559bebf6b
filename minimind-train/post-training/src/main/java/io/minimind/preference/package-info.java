/**
 * Learning which of two answers is preferred: a task like any other, with its objective, its
 * encoder and the reference model's log-probabilities, which are computed beforehand.
 */
package io.minimind.preference;
