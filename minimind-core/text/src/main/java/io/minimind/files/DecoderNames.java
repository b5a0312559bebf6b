package io.minimind.files;

/** The names in a decoder graph, for those that write it and those that run it. */
public final class DecoderNames {

  /** New tokens, int64 [batch, length]. */
  public static final String INPUT_IDS = "input_ids";

  /** The last position of each row, int32 [batch]. */
  public static final String LAST_POSITION = "seqlens_k";

  /** Past and new positions, an int32 scalar. */
  public static final String TOTAL_LENGTH = "total_sequence_length";

  /** Which of the new tokens need logits, int64 [positions], counted through all rows. */
  public static final String LOGIT_POSITIONS = "logit_positions";

  /** Output: float32 [positions, vocabulary]. */
  public static final String LOGITS = "logits";

  /** Output: float32 [batch, length, width]. */
  public static final String HIDDEN_STATES = "hidden_states";

  /** What a layer keeps of a position: its key. */
  public static final String KEY = "key";

  /** What a layer keeps of a position: its value. */
  public static final String VALUE = "value";

  /** The metadata that say how many positions the graph knows. */
  public static final String CONTEXT_LENGTH = "context_length";

  private DecoderNames() {}

  /**
   * Input: float32 [batch, key/value heads, capacity, cached head size].
   *
   * @param part {@link #KEY} or {@link #VALUE}
   */
  public static String past(int layer, String part) {
    return "past_key_values." + layer + "." + part;
  }

  /** Output: the past with the new positions, alike. */
  public static String present(int layer, String part) {
    return "present." + layer + "." + part;
  }
}
