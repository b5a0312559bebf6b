package io.minimind.model;

import java.util.Optional;

/** What a parameter is to a model. Matrices are [out, in]. */
public enum Role {
  /** [vocabulary, width]; also the head of a model that has no own. */
  EMBEDDING(Kind.TABLE),

  /** The norm before attention, [width]. */
  ATTENTION_NORM(Kind.VECTOR),
  /** [heads · head size, width]. */
  QUERY("wq"),
  /** [key/value heads · head size, width]. */
  KEY("wk"),
  /** As {@link #KEY}. */
  VALUE("wv"),
  QUERY_BIAS(QUERY),
  KEY_BIAS(KEY),
  VALUE_BIAS(VALUE),
  /** The norm of each query head, [head size]. */
  QUERY_NORM(Kind.VECTOR),
  /** The norm of each key head, [head size]. */
  KEY_NORM(Kind.VECTOR),
  /** [width, heads · head size]. */
  OUTPUT("wo"),
  OUTPUT_BIAS(OUTPUT),

  /** The norm before the feed-forward layer, [width]. */
  FEED_FORWARD_NORM(Kind.VECTOR),
  /** [inner width, width]. */
  GATE("w1"),
  /** As {@link #GATE}. */
  UP("w3"),
  GATE_BIAS(GATE),
  UP_BIAS(UP),
  /** [width, inner width]. */
  DOWN("w2"),
  DOWN_BIAS(DOWN),

  /** What chooses among experts, [experts, width]; small, and it decides much. */
  ROUTER(Kind.SMALL),
  EXPERT_GATE("w1"),
  EXPERT_UP("w3"),
  EXPERT_DOWN("w2"),
  SHARED_GATE("w1"),
  SHARED_UP("w3"),
  SHARED_DOWN("w2"),

  /** The norm before the head, [width]. */
  NORM(Kind.VECTOR),
  /** [vocabulary, width], where the embedding is not the head too. */
  HEAD(Kind.LINEAR),

  /** What an adapter multiplies with first, [rank, in]. */
  ADAPTER_A(Kind.SMALL),
  /** What an adapter multiplies with then, [out, rank]. */
  ADAPTER_B(Kind.SMALL),

  /** What an objective trains besides the model, such as a head that gives values. */
  OBJECTIVE(Kind.SMALL);

  private enum Kind {
    TABLE,
    LINEAR,
    SMALL,
    VECTOR
  }

  private final Kind kind;
  private final String target;
  private final Role weight;

  Role(Kind kind) {
    this(kind, null, null);
  }

  /** A linear layer of a block, and what adapters call it. */
  Role(String target) {
    this(Kind.LINEAR, target, null);
  }

  /** The bias of a linear layer, [out]. */
  Role(Role weight) {
    this(Kind.VECTOR, null, weight);
  }

  Role(Kind kind, String target, Role weight) {
    this.kind = kind;
    this.target = target;
    this.weight = weight;
  }

  /** Whether a decoder may keep it in few bits: the large matrices. */
  public boolean isQuantizable() {
    return kind == Kind.TABLE || kind == Kind.LINEAR;
  }

  /** The name under which low-rank adapters are asked for beside it; empty if it takes none. */
  public Optional<String> adapterTarget() {
    return Optional.ofNullable(target);
  }

  public boolean isBias() {
    return weight != null;
  }

  /** The matrix beside which a bias stands; any other role itself. */
  public Role weight() {
    return isBias() ? weight : this;
  }
}
