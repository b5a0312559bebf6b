package io.minimind.preference;

import io.minimind.artifact.BatchInput;
import io.minimind.data.Samples;
import io.minimind.files.InputException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Answers, each followed by its prompt with the answer of the next row: what answers to other
 * prompts are worth is the point to which {@link KahnemanTverskyObjective} refers. Where a row has
 * several answers, it is the answer in the same place.
 */
final class MismatchedAnswers implements Samples {

  private final Samples all;
  private final int[] prompts;

  private MismatchedAnswers(Samples all, int[] prompts) {
    this.all = all;
    this.prompts = prompts;
  }

  /**
   * @param all prompts with their answers, which are the targets; where they are pairs, the first
   *     of each is desirable, and else a column says it
   * @throws IOException if they cannot be read, or are the answers to one prompt alone
   */
  static MismatchedAnswers of(Samples all) throws IOException {
    if (all.groups() < 2) {
      throw new InputException(
          "There is one row: answers to other prompts are needed to compare its own with.");
    }
    int[] prompts = new int[Math.toIntExact(all.size())];
    int[] ids = new int[all.longest()];
    boolean[] targets = new boolean[all.longest()];
    for (int i = 0; i < prompts.length; i++) {
      prompts[i] = firstTarget(targets, all.read(i, ids, targets));
    }
    return new MismatchedAnswers(all, prompts);
  }

  private static int firstTarget(boolean[] targets, int length) {
    int first = 1;
    while (first < length - 1 && !targets[first]) {
      first++;
    }
    return first;
  }

  @Override
  public long size() {
    return 2 * all.size();
  }

  @Override
  public int groupSize() {
    return 2 * all.groupSize();
  }

  @Override
  public List<BatchInput> columns() {
    List<BatchInput> columns = new ArrayList<>(all.columns());
    if (isPaired()) {
      columns.add(KahnemanTverskyObjective.DESIRABLE);
    }
    return columns;
  }

  private boolean isPaired() {
    return all.groupSize() == 2;
  }

  @Override
  public int length(long index) {
    int own = (int) (index / 2);
    return index % 2 == 0 ? all.length(own) : kept(own) + answer(own);
  }

  @Override
  public int longest() {
    return all.longest();
  }

  /** Whose answer is put behind a prompt that is not its own. */
  private int other(int own) {
    return (own + all.groupSize()) % prompts.length;
  }

  /** Tokens of the other answer that there is room for. */
  private int answer(int own) {
    return Math.min(answerLength(other(own)), longest() - kept(own));
  }

  /** Tokens of the prompt that are kept, as {@link AnswerEncoder} keeps them. */
  private int kept(int own) {
    int room = longest() - answerLength(other(own));
    return Math.min(prompts[own], Math.max(room, longest() / 2));
  }

  private int answerLength(int sample) {
    return all.length(sample) - prompts[sample];
  }

  @Override
  public int read(long index, int[] ids, boolean[] targets) throws IOException {
    int own = (int) (index / 2);
    if (index % 2 == 0) {
      return all.read(own, ids, targets);
    }
    int[] prompt = new int[longest()];
    all.read(own, prompt, new boolean[longest()]);
    int kept = kept(own);
    int answer = answer(own);
    int other = other(own);
    all.read(other, ids, targets);
    System.arraycopy(ids, prompts[other], ids, kept, answer);
    System.arraycopy(prompt, prompts[own] - kept, ids, 0, kept);
    for (int i = 0; i < kept + answer; i++) {
      targets[i] = i >= kept;
    }
    return kept + answer;
  }

  @Override
  public void readColumn(long index, int column, float[] values) throws IOException {
    if (isPaired() && column == all.columns().size()) {
      values[0] = index / 2 % 2 == 0 ? 1 : 0;
    } else {
      all.readColumn(index / 2, column, values);
    }
  }
}
