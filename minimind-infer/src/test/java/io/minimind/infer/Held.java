package io.minimind.infer;

import io.minimind.infer.constraint.TokenConstraint;
import java.util.BitSet;
import java.util.function.BooleanSupplier;

/** Lets so many tokens pass at once, and further ones when a condition holds. */
final class Held implements TokenConstraint.State {
  private final BooleanSupplier condition;
  private int passing;

  private Held(int tokens, BooleanSupplier condition) {
    this.condition = condition;
    passing = tokens;
  }

  static TokenConstraint after(int tokens, BooleanSupplier condition) {
    return budget -> new Held(tokens, condition);
  }

  @Override
  public void allow(BitSet allowed) {
    allowed.set(0, 64);
    if (passing == 0) {
      while (!condition.getAsBoolean()) {
        Thread.onSpinWait();
      }
    } else {
      passing--;
    }
  }

  @Override
  public boolean mayEnd() {
    return false;
  }

  @Override
  public void advance(int tokenId) {}
}
