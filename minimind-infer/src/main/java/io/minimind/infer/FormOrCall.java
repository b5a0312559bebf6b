package io.minimind.infer;

import io.minimind.infer.constraint.TokenConstraint;
import io.minimind.tokenizer.Tokenizer;
import java.util.BitSet;

/**
 * Lets an answer that must have a form call a tool instead. Its first token decides: the one that
 * begins a call leads to the call, which is then as the model writes it, and any other to the form.
 */
final class FormOrCall implements TokenConstraint {
  private final TokenConstraint form;
  private final int[] call;
  private final int vocabularySize;

  /**
   * @param call the tokens with which a call begins, at least one
   */
  FormOrCall(TokenConstraint form, int[] call, int vocabularySize) {
    this.form = form;
    this.call = call;
    this.vocabularySize = vocabularySize;
  }

  @Override
  public State start(int budget) {
    return new Beginning(form.start(budget));
  }

  @Override
  public void check(Tokenizer tokenizer) {
    form.check(tokenizer);
  }

  private final class Beginning implements State {
    private final State formed;
    private final boolean callable; // not if the form may begin with the same token
    private int tokens;
    private boolean called;

    Beginning(State formed) {
      this.formed = formed;
      BitSet first = new BitSet();
      formed.allow(first);
      callable = !first.get(call[0]);
    }

    @Override
    public void allow(BitSet allowed) {
      if (!called) {
        formed.allow(allowed);
        if (tokens == 0 && callable) {
          allowed.set(call[0]);
        }
      } else if (tokens < call.length) {
        allowed.set(call[tokens]);
      } else {
        allowed.set(0, vocabularySize);
      }
    }

    @Override
    public boolean mayEnd() {
      return called ? tokens >= call.length : formed.mayEnd();
    }

    @Override
    public void advance(int tokenId) {
      called |= tokens == 0 && callable && tokenId == call[0];
      tokens++;
      if (!called) {
        formed.advance(tokenId);
      }
    }
  }
}
