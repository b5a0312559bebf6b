package io.minimind.preference;

import static io.minimind.preference.AnswerEncoder.commonPrefix;
import static io.minimind.preference.AnswerEncoder.isBlank;
import static io.minimind.preference.AnswerEncoder.messages;
import static io.minimind.preference.AnswerEncoder.require;
import static io.minimind.preference.AnswerEncoder.requireAnswer;
import static io.minimind.preference.AnswerEncoder.without;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.data.Row;
import io.minimind.data.Sample;
import io.minimind.data.SampleEncoder;
import io.minimind.preference.AnswerEncoder.Answer;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes a prompt with a chosen and a rejected answer as a pair of samples: the prompt as the chat
 * template puts it, then the answer, whose tokens are the targets.
 *
 * <p>Each of the three is a text, or a JSON list of messages with {@code role} and {@code content}
 * or {@code from} and {@code value}. A text that looks like such a list is a text, and in CSV all
 * are texts. If both answers are conversations that begin with the prompt, it is taken off them;
 * without a prompt column, it is what they have in common at the beginning.
 *
 * <p>A pair takes at most a maximum length. The prompt loses its beginning where it would leave the
 * longer answer neither its whole length nor half of the maximum; then answers lose their ends.
 */
record PreferenceEncoder(AnswerEncoder answers) implements SampleEncoder {

  /**
   * Creates an encoder.
   *
   * @param fingerprint tells tokenizers and templates apart
   * @param maxLength most tokens of prompt and answer, at least 4
   * @throws IllegalArgumentException if the length is less than 4
   */
  static PreferenceEncoder of(
      Tokenizer tokenizer, ChatTemplate template, String fingerprint, int maxLength) {
    return new PreferenceEncoder(new AnswerEncoder(tokenizer, template, fingerprint, maxLength));
  }

  /**
   * Creates an encoder with the tokenizer and the chat template of a folder, which are told apart
   * by their contents.
   *
   * @throws IOException if the tokenizer or the template is missing or broken
   * @throws IllegalArgumentException as for {@link #of}
   */
  static PreferenceEncoder load(Path folder, int maxLength) throws IOException {
    return new PreferenceEncoder(AnswerEncoder.load(folder, maxLength));
  }

  @Override
  public List<List<String>> columns() {
    return List.of(List.of("prompt", "chosen", "rejected"), List.of("chosen", "rejected"));
  }

  @Override
  public int groupSize() {
    return 2;
  }

  @Override
  public int vocabularySize() {
    return answers.tokenizer().vocabularySize();
  }

  @Override
  public String description() {
    return "preference " + answers.description();
  }

  @Override
  public List<Sample> encode(Row row) {
    int last = row.cells().size() - 1;
    List<Message> chosen = messages("chosen", row, last - 1, "assistant");
    List<Message> rejected = messages("rejected", row, last, "assistant");
    List<Message> prompt;
    if (last == 2) {
      prompt = messages("prompt", row, 0, "user");
      chosen = without(prompt, chosen);
      rejected = without(prompt, rejected);
    } else {
      prompt = chosen.subList(0, commonPrefix(chosen, rejected));
      chosen = chosen.subList(prompt.size(), chosen.size());
      rejected = rejected.subList(prompt.size(), rejected.size());
      require(
          !isBlank(prompt),
          "it has no prompt, and its answers do not begin with the same message.");
    }
    requireAnswer("chosen answer", chosen);
    requireAnswer("rejected answer", rejected);
    List<Sample> pair =
        answers.encode(
            prompt,
            List.of(new Answer("chosen answer", chosen), new Answer("rejected answer", rejected)));
    require(
        !Arrays.equals(pair.get(0).ids(), pair.get(1).ids()),
        "its answers are the same%s."
            .formatted(
                chosen.equals(rejected) ? "" : " within " + answers.maxLength() + " tokens"));
    return pair;
  }
}
