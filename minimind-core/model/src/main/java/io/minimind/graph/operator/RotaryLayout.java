package io.minimind.graph.operator;

/** Which channels of a head rotary positions turn together. */
public enum RotaryLayout {
  /** Channel 0 with 1, 2 with 3 and so on (Su et al. 2021, "RoFormer"). */
  NEIGHBOURS,
  /** The first half with the second: channel i with i + head size / 2 (GPT-NeoX, Llama). */
  HALVES
}
