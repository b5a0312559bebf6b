package io.minimind.tokenizer;

/**
 * Told how far the training of a tokenizer is. The calls come from the threads that count, never
 * two at a time; they should return quickly.
 */
public interface BpeTrainingProgress {

  /** Reports nothing. */
  BpeTrainingProgress NONE =
      new BpeTrainingProgress() {
        @Override
        public void counted(long texts) {}

        @Override
        public void merged(int merges, int total) {}
      };

  /** So many texts were taken, and are counted or about to be. */
  void counted(long texts);

  /** So many of the merges wanted are learnt. */
  void merged(int merges, int total);
}
