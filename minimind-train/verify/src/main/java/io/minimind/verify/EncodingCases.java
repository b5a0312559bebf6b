package io.minimind.verify;

import io.minimind.chat.ChatTemplate;
import io.minimind.data.Batch;
import io.minimind.data.BatchLoader;
import io.minimind.data.BatchOrder;
import io.minimind.data.ChatEncoder;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.PretrainingEncoder;
import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import io.minimind.data.Samples;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Rows of the corpus as the original feeds them to the model. */
final class EncodingCases {

  private record Reference(Corpus pretrain, Corpus sftSingle, Corpus sftMulti) {}

  private record Corpus(int maxLength, List<Encoded> samples) {}

  /**
   * @param row counted from 0
   */
  private record Encoded(long row, long[] inputIds, long[] labels, float[] lossMask) {

    boolean hasNoTargets() {
      return IntStream.range(0, lossMask.length).allMatch(i -> lossMask[i] == 0);
    }

    boolean equalTo(Batch batch) {
      return batch.inputIds().equals(LongBuffer.wrap(inputIds))
          && batch.labels().equals(LongBuffer.wrap(labels))
          && batch.lossMask().equals(FloatBuffer.wrap(lossMask));
    }
  }

  private EncodingCases() {}

  /**
   * @param data the folder of the corpora
   * @param tokenizer the folder of the tokenizer and its chat template
   * @throws IOException if the reference's file, a corpus or the chat template is missing or
   *     damaged
   */
  static List<Case> of(GoldenFolder golden, Path data, Path tokenizer) throws IOException {
    Reference reference = golden.read("encodings", Reference.class);
    Tokenizer tokens = Tokenizer.load(tokenizer);
    ChatTemplate template = ChatTemplate.load(tokenizer);
    Corpus pretrain = reference.pretrain();
    List<Case> cases = new ArrayList<>();
    cases.add(
        compare(
            "encodings pretrain",
            data.resolve("pretrain_data.csv"),
            PretrainingEncoder.of(tokens, "", pretrain.maxLength()),
            pretrain));
    for (String kind : List.of("single", "multi")) {
      Corpus sft = kind.equals("single") ? reference.sftSingle() : reference.sftMulti();
      cases.add(
          compare(
              "encodings sft_" + kind,
              data.resolve("sft_data_" + kind + ".csv"),
              ChatEncoder.of(tokens, template, "", sft.maxLength(), Loss.LAST_ANSWER),
              sft));
    }
    return cases;
  }

  private static Case compare(String name, Path file, SampleEncoder encoder, Corpus corpus)
      throws IOException {
    Set<Long> rows = corpus.samples().stream().map(Encoded::row).collect(Collectors.toSet());
    Map<Long, Sample> samples = encode(file, encoder, rows);
    Mismatches mismatches = new Mismatches();
    List<Encoded> expected = new ArrayList<>();
    for (Encoded one : corpus.samples()) {
      if (samples.containsKey(one.row())) {
        expected.add(one);
      } else {
        mismatches.add("row " + one.row() + ", which was left out", one.hasNoTargets());
      }
    }
    if (expected.isEmpty()) {
      return mismatches.as(name);
    }
    List<Sample> found = expected.stream().map(one -> samples.get(one.row())).toList();
    BatchOrder order = BatchOrder.of(Samples.of(found), 1, 0);
    try (BatchLoader loader = BatchLoader.startPadded(order, 0, 0, corpus.maxLength() - 1)) {
      for (int number = 0; number < expected.size(); number++) {
        Encoded one = expected.get((int) order.rows(0, number)[0]);
        try (Batch batch = loader.next().orElseThrow()) {
          mismatches.add("row " + one.row(), one.equalTo(batch));
        }
      }
    }
    return mismatches.as(name);
  }

  /** Those of rows in which there is something to learn; the others are not trained on. */
  private static Map<Long, Sample> encode(Path file, SampleEncoder encoder, Set<Long> rows)
      throws IOException {
    Map<Long, Sample> samples = new HashMap<>();
    Set<Long> missing = new HashSet<>(rows);
    try (RowReader reader = Rows.of(file).open(encoder.columns())) {
      while (!missing.isEmpty()) {
        Optional<Row> next = reader.next();
        Row row =
            next.orElseThrow(
                () ->
                    new InputException(
                        file
                            + " has fewer rows than the reference refers to: expected the texts the"
                            + " reference was computed from."));
        long index = row.number() - 1;
        if (missing.remove(index)) {
          try {
            samples.put(index, encoder.encode(row).get(0));
          } catch (ArgumentException e) {
            // There is nothing to learn in it, which the comparison holds against the reference.
          }
        }
      }
    }
    return samples;
  }
}
