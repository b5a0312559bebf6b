package io.minimind.tokenizer;

/**
 * The ids of a text and where in it each of them comes from. The arrays are of one length; the
 * record does not copy them.
 *
 * <p>Token {@code i} comes from {@code text.substring(starts[i], ends[i])}. A token that holds only
 * some bytes of a character has the place of the whole character, so neighbouring ranges may
 * overlap. Where a tokenizer is told to trim offsets, a range excludes the spaces at its ends. A
 * space that the tokenizer puts before a text has the place of the text's first character.
 *
 * @param ids the token ids
 * @param starts the index in the text of each token's first {@code char}
 * @param ends the index in the text behind each token's last {@code char}
 */
public record Encoding(int[] ids, int[] starts, int[] ends) {}
