package io.minimind.examples;

import io.minimind.data.CorpusTexts;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.tokenizer.BpeTrainingProgress;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.tokenizer.DeclaredTokens;
import io.minimind.tokenizer.SentencePieceTrainer;
import io.minimind.tokenizer.TrainedTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a tokenizer on a corpus. */
@Command(
    name = "train",
    description = {
      "Learns a vocabulary from a corpus, by byte-pair encoding.",
      "The corpus is streamed: memory grows with its distinct words, not with its size."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true,
    footer = {
      "",
      "Example:",
      "  minimind tokenizer train --data tokenizer_train.jsonl --vocab-size 6400 --out"
          + " out/tokenizer"
    })
public final class TrainTokenizer implements Callable<Integer> {

  private enum Format {
    BPE,
    SENTENCEPIECE
  }

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "FILE",
      description =
          "Corpus: JSON lines with a field 'text', a CSV file with a column 'text', or a .txt file"
              + " with a text in each line; or conversations, as for sft, of which what is said"
              + " counts.")
  private List<Path> data;

  @Option(
      names = "--vocab-size",
      paramLabel = "TOKENS",
      description = "Size of the vocabulary, all declared tokens included.")
  private int vocabularySize = 6400;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder to write the tokenizer to; it must not hold one yet.")
  private Path out;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "bpe",
      description =
          "What to train: bpe (byte-level, a tokenizer.json), or sentencepiece (BPE with byte"
              + " fallback, a tokenizer.model).")
  private Format format;

  @Option(
      names = "--max-rows",
      paramLabel = "N",
      showDefaultValue = Visibility.NEVER,
      description = "Rows to learn from, the first of the corpus; all unless given.")
  private long maxRows = Long.MAX_VALUE;

  @Mixin private DeclaredTokenOptions tokens;

  private final ProgressLine progress = ProgressLine.onStandardError();

  public static void main(String[] args) {
    MiniMind.run(new TrainTokenizer(), args);
  }

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    requireFree(out);
    DeclaredTokens declared = tokens.tokens();
    if (format == Format.SENTENCEPIECE && !declared.equals(DeclaredTokens.MINIMIND)) {
      throw new ArgumentException("Tokens of one's own go with the format bpe only.");
    }
    Numbers.atLeast(1, "--max-rows", maxRows);
    try (CorpusTexts texts = CorpusTexts.open(data, maxRows)) {
      int size =
          switch (format) {
            case BPE -> trainByteLevelBpe(texts, declared);
            case SENTENCEPIECE -> trainSentencePiece(texts);
          };
      progress.clear();
      System.out.printf(
          Locale.ROOT,
          "The tokenizer in %s has %,d tokens%s. It was learnt from %,.1f MB in %.1f s.%n",
          out,
          size,
          size < vocabularySize ? ", for the texts have no more pairs to merge" : "",
          texts.bytesTotal() / 1e6,
          (System.nanoTime() - start) / 1e9);
    } finally {
      progress.clear();
    }
    System.out.printf(
        "See what it does: ./minimind tokenizer encode --tokenizer %s TEXT%n",
        GivenCommand.quoted(out.toString()));
    return 0;
  }

  /** Trains and saves a byte-level tokenizer; the size of its vocabulary. */
  private int trainByteLevelBpe(CorpusTexts texts, DeclaredTokens declared) throws IOException {
    TrainedTokenizer trained =
        ByteLevelBpeTrainer.ofSize(vocabularySize, declared).train(texts, report(texts, progress));
    trained.save(out);
    return trained.vocabulary().size();
  }

  /** Learns a byte-level vocabulary of at most a size, and shows how far it is. */
  static TrainedTokenizer learn(CorpusTexts texts, int size, ProgressLine progress) {
    return ByteLevelBpeTrainer.ofSize(size).train(texts, report(texts, progress));
  }

  /** Trains and saves a SentencePiece model; the number of its pieces. */
  private int trainSentencePiece(CorpusTexts texts) throws IOException {
    return SentencePieceTrainer.ofSize(vocabularySize).train(texts, report(texts, progress), out);
  }

  /** Refuses before the work what would fail after it. */
  private static void requireFree(Path folder) throws IOException {
    for (String name : List.of("tokenizer.json", "tokenizer.model")) {
      if (Files.exists(folder.resolve(name))) {
        throw new InputException(
            "%s already holds a tokenizer, %s: name another folder with --out, or delete the file."
                .formatted(folder, name));
      }
    }
    Path existing = folder.toAbsolutePath();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    if (existing == null || !Files.isDirectory(existing)) {
      throw new InputException(
          "%s cannot be the folder of the tokenizer: %s is a file.".formatted(folder, existing));
    }
    if (!Files.isWritable(existing)) {
      throw new InputException(
          "%s cannot be the folder of the tokenizer: %s is not writable."
              .formatted(folder, existing));
    }
  }

  private static BpeTrainingProgress report(CorpusTexts texts, ProgressLine progress) {
    return new BpeTrainingProgress() {
      @Override
      public void counted(long count) {
        show(progress, "counting words", texts.bytesRead(), texts.bytesTotal(), "%,d texts", count);
      }

      @Override
      public void merged(int merges, int total) {
        show(progress, "learning merges", merges, total, "%,d merges", merges);
      }
    };
  }

  private static void show(
      ProgressLine progress, String task, long done, long total, String format, long count) {
    progress.show(
        "%-15s %s  %s"
            .formatted(
                task, ProgressBar.of(done, total), String.format(Locale.ROOT, format, count)));
  }
}
