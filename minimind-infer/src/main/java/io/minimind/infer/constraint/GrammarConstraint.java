package io.minimind.infer.constraint;

import io.minimind.files.ArgumentException;
import io.minimind.tokenizer.Tokenizer;
import java.util.BitSet;

/** Lets through the texts of an automaton, and sees to it that they come to their end. */
final class GrammarConstraint implements TokenConstraint {
  private final Positions positions;
  private final int shortest;

  private GrammarConstraint(Positions positions, int shortest) {
    this.positions = positions;
    this.shortest = shortest;
  }

  /**
   * @throws IllegalArgumentException if there is no such text, or none that the vocabulary can
   *     spell
   */
  static GrammarConstraint of(Expression expression, TokenTrie trie) {
    Positions positions =
        new Positions(AutomatonBuilder.build(expression, trie.spelt()), trie, Positions.MOST_KEPT);
    Position start = positions.start();
    if (start.isDead()) {
      throw new ArgumentException(
          "No text meets the constraint: it contradicts itself, contains itself without end, or"
              + " needs bytes that are not in the vocabulary.");
    }
    return new GrammarConstraint(positions, start.tokens);
  }

  @Override
  public State start(int budget) {
    if (shortest > budget) {
      throw new ArgumentException(
          "The constraint needs up to %d tokens for its shortest text, but the answer may have only %d; raise maxNewTokens, shorten the prompt or ask for less."
              .formatted(shortest, budget));
    }
    return new Text(budget);
  }

  @Override
  public void check(Tokenizer tokenizer) {
    if (!positions.trie().isOf(tokenizer)) {
      throw new ArgumentException(
          "The constraint was made for another tokenizer; make it with model.constraints().");
    }
  }

  private final class Text implements State {
    private Position position = positions.start();
    private int left;

    Text(int budget) {
      left = budget;
    }

    @Override
    public void allow(BitSet allowed) {
      if (left > 0) {
        positions.allow(position, left - 1, allowed);
      }
    }

    @Override
    public boolean mayEnd() {
      return position.mayEnd;
    }

    @Override
    public void advance(int tokenId) {
      Position next = positions.after(position, tokenId);
      if (next.isDead()) {
        throw new ArgumentException(
            "The token %d does not fit the constraint; force only tokens that it allows."
                .formatted(tokenId));
      }
      position = next;
      left--;
    }
  }
}
