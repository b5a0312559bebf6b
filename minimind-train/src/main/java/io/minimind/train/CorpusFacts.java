package io.minimind.train;

import io.minimind.files.InputException;
import java.io.IOException;
import java.util.List;

/**
 * What a run found when it read its corpora, to notice when they have changed.
 *
 * @param samples rows that the run learns from
 * @param checksums those of the encoded corpora, the one that is learnt from first; none in runs of
 *     earlier versions
 */
public record CorpusFacts(long samples, List<String> checksums) {

  /** Of a run that has not begun. */
  static final CorpusFacts NONE = new CorpusFacts(0, List.of());

  public CorpusFacts {
    checksums = List.copyOf(checksums);
  }

  /**
   * What a run learns from must not change, lest it end as if it had never been stopped.
   *
   * @param now what is found now
   * @param names of the corpora
   */
  void requireSame(CorpusFacts now, List<String> names) throws IOException {
    if (now.samples != samples) {
      throw new InputException(
          "%s now has %d usable rows for training, %d when the run began: restore it, or start a new run."
              .formatted(names.get(0), now.samples, samples));
    }
    for (int i = 0; i < checksums.size(); i++) {
      if (!checksums.get(i).equals(now.checksums.get(i))) {
        throw new InputException(
            "%s does not hold the rows that the run began with: restore it, or start a new run."
                .formatted(names.get(i)));
      }
    }
  }
}
