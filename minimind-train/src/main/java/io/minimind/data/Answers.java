package io.minimind.data;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.template.MarkedText;
import io.minimind.template.MarkedText.Span;
import io.minimind.template.TemplateException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Where in the text of a conversation the assistant's messages stand: what it thinks, says and
 * calls, and the end of its turn, but not the header, which a template writes for it. A template
 * that marks this with {@code {% generation %}} says so itself.
 *
 * <p>Else a message is found by rendering what comes before and what it ends. Where a template
 * renders earlier messages in another way than the last, which is so for many that think, it is
 * found by rendering the conversation with something else in its place.
 */
final class Answers {

  /** What templates write for an answer before which nothing was thought. */
  static final String EMPTY_THINKING = "<think>\n\n</think>\n\n";

  private static final String THINKING = "<think>";

  private static final String FIRST_HEADER = ChatEncoder.MARKER + "\n";

  /** Stands in the place of what is said; the characters are nobody's, so no text has it. */
  private static final String OTHER = "\uE000other\uE001";

  private final ChatTemplate template;
  private final List<Message> messages;
  private final TemplateOptions options;
  private final Header header;
  private final MarkedText text;

  /**
   * @param header of the template's answers
   * @param text of the messages
   */
  Answers(
      ChatTemplate template,
      List<Message> messages,
      TemplateOptions options,
      Header header,
      MarkedText text) {
    this.template = template;
    this.messages = messages;
    this.options = options;
    this.header = header;
    this.text = text;
  }

  /**
   * What a template writes before an answer; empty if it has no header.
   *
   * @param prompt when it asks for one
   * @param text the same without what it thinks
   */
  record Header(String prompt, String text) {

    static Header of(ChatTemplate template) {
      List<Message> question = List.of(Message.user("?"));
      TemplateOptions options = TemplateOptions.defaults();
      try {
        String asked = template.render(question, options);
        String answered = template.render(question, options.withAddGenerationPrompt(true));
        String prompt = answered.startsWith(asked) ? answered.substring(asked.length()) : "";
        int thinking = prompt.indexOf(THINKING);
        return new Header(prompt, thinking < 0 ? prompt : prompt.substring(0, thinking));
      } catch (TemplateException e) {
        return new Header("", "");
      }
    }

    /** How much of a text that ends with the prompt comes before the answer. */
    int end(String asked) {
      return asked.length() - prompt.length() + text.length();
    }
  }

  /** The text that the messages are in. */
  String text() {
    return text.text();
  }

  /** In MiniMind's first version the line break after the header counts as said. */
  private Span span(int start, int end) {
    boolean first = text.text().startsWith(FIRST_HEADER, start - FIRST_HEADER.length());
    return new Span(first ? start - 1 : start, end);
  }

  /**
   * Some of the messages, in the order of the text. They are found one by one, since what comes
   * after a cut is of no use.
   */
  Stream<Span> of(Predicate<Message> wanted) {
    int[] written =
        IntStream.range(0, messages.size())
            .filter(i -> messages.get(i).role().equals("assistant"))
            .toArray();
    List<Span> spans = text.spans();
    if (spans.isEmpty()) {
      return Arrays.stream(written)
          .filter(i -> wanted.test(messages.get(i)))
          .mapToObj(this::find)
          .flatMap(Optional::stream)
          .filter(span -> span.start() < span.end());
    }
    // A template may mark more or fewer than it has messages; then no one knows which is whose.
    return spans.size() != written.length
        ? spans.stream()
        : IntStream.range(0, written.length)
            .filter(i -> wanted.test(messages.get(written[i])))
            .mapToObj(spans::get);
  }

  private Optional<Span> find(int message) {
    String whole = text.text();
    String after = template.render(messages.subList(0, message + 1), options);
    if (message > 0 && whole.startsWith(after)) {
      String before =
          template.render(messages.subList(0, message), options.withAddGenerationPrompt(true));
      int start = header.end(before);
      if (before.endsWith(header.prompt) && after.startsWith(before.substring(0, start))) {
        return Optional.of(span(start, after.length()));
      }
    }
    return findByChange(message, after);
  }

  private Optional<Span> findByChange(int message, String after) {
    String whole = text.text();
    String replaced = with(messages, message, Message.assistant(OTHER));
    if (!replaced.contains(OTHER)) {
      return Optional.empty(); // The template leaves it out.
    }
    int changed = commonPrefix(whole, replaced);
    String begin = header.text;
    int begun = begin.isEmpty() ? -1 : whole.lastIndexOf(begin, changed - begin.length());
    int start = begun < 0 ? changed : begun + begin.length();
    Message answer = messages.get(message);
    Message longer = new Message(answer.role(), answer.content() + OTHER, answer.fields());
    int said = Math.max(start, commonPrefix(whole, with(messages, message, longer)));
    // How it goes on behind what was said is seen where it is the last.
    List<Message> upTo = messages.subList(0, message + 1);
    String end = after.substring(commonPrefix(after, with(upTo, message, longer)));
    return Optional.of(span(start, said + commonPrefix(whole.substring(said), end)));
  }

  private String with(List<Message> all, int index, Message other) {
    List<Message> changed = new ArrayList<>(all);
    changed.set(index, other);
    return template.render(changed, options);
  }

  /** The text without empty thoughts at the beginning of messages, and where those are then. */
  MarkedText withoutEmptyThinking() {
    StringBuilder shorter = new StringBuilder();
    List<Span> spans = new ArrayList<>();
    int copied = 0;
    for (Span span : (Iterable<Span>) of(message -> true)::iterator) {
      if (text.text().startsWith(EMPTY_THINKING, span.start())) {
        shorter.append(text.text(), copied, span.start());
        copied = span.start() + EMPTY_THINKING.length();
      }
      int removed = copied - shorter.length();
      int start = Math.max(copied, span.start()) - removed;
      spans.add(new Span(start, Math.max(copied, span.end()) - removed));
    }
    return new MarkedText(shorter.append(text.text().substring(copied)).toString(), spans);
  }

  private static int commonPrefix(String one, String other) {
    int common = Arrays.mismatch(one.toCharArray(), other.toCharArray());
    return common < 0 ? one.length() : common;
  }
}
