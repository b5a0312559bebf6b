package io.minimind.infer;

import java.util.List;

/**
 * What became certain of an answer's text.
 *
 * @param text never empty
 * @param logProbabilities of the tokens since the piece before, if they are asked for
 */
record Piece(String text, List<TokenLogProbability> logProbabilities) {}
