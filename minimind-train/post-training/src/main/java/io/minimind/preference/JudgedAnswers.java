package io.minimind.preference;

import static io.minimind.preference.AnswerEncoder.messages;
import static io.minimind.preference.AnswerEncoder.requireAnswer;
import static io.minimind.preference.AnswerEncoder.without;

import io.minimind.artifact.BatchInput;
import io.minimind.chat.Message;
import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import io.minimind.files.ArgumentException;
import io.minimind.preference.AnswerEncoder.Answer;
import java.util.List;
import java.util.Locale;

/**
 * Encodes a prompt with an answer that someone found good or bad. The label is {@code true}, {@code
 * 1} or {@code good}, or else {@code false}, {@code 0} or {@code bad}; prompt and answer are texts
 * or lists of messages, as for {@link PreferenceEncoder}.
 */
record JudgedAnswers(AnswerEncoder answers) implements SampleEncoder {

  @Override
  public List<List<String>> columns() {
    return List.of(List.of("prompt", "completion", "label"), List.of("prompt", "answer", "label"));
  }

  @Override
  public int vocabularySize() {
    return answers.tokenizer().vocabularySize();
  }

  @Override
  public List<BatchInput> inputs() {
    return List.of(KahnemanTverskyObjective.DESIRABLE);
  }

  @Override
  public String description() {
    return "judged " + answers.description();
  }

  @Override
  public List<Sample> encode(Row row) {
    List<Message> prompt = messages("prompt", row, 0, "user");
    List<Message> answer = without(prompt, messages("answer", row, 1, "assistant"));
    requireAnswer("answer", answer);
    float desirable = isGood(row.cells().get(2)) ? 1 : 0;
    return answers.encode(prompt, List.of(new Answer("answer", answer))).stream()
        .map(sample -> sample.with(KahnemanTverskyObjective.DESIRABLE.name(), desirable))
        .toList();
  }

  private static boolean isGood(String label) {
    return switch (label.strip().toLowerCase(Locale.ROOT)) {
      case "true", "1", "good" -> true;
      case "false", "0", "bad" -> false;
      default ->
          throw new ArgumentException(
              "its label is \"%s\", where true or false, 1 or 0, good or bad was expected."
                  .formatted(label.length() > 20 ? label.substring(0, 20) + "…" : label));
    };
  }
}
