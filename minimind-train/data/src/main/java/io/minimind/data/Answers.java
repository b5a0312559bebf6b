package io.minimind.data;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.chat.ToolCall;
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

  private static final String FIRST_HEADER = ChatEncoder.MARKER + "\n";

  private static final String OTHER = AnswerFrame.OTHER;

  private final ChatTemplate template;
  private final List<Message> messages;
  private final TemplateOptions options;
  private final AnswerFrame frame;
  private final MarkedText text;

  /**
   * @param frame of the template's answers
   * @param text of the messages
   */
  Answers(
      ChatTemplate template,
      List<Message> messages,
      TemplateOptions options,
      AnswerFrame frame,
      MarkedText text) {
    this.template = template;
    this.messages = messages;
    this.options = options;
    this.frame = frame;
    this.text = text;
  }

  /** The text that the messages are in. */
  String text() {
    return text.text();
  }

  /** Where the turn of an answer ends: all that the text still has is its own if it is the last. */
  int endOfTurn(Span answer) {
    boolean last = messages.get(messages.size() - 1).role().equals("assistant");
    return last ? Math.max(answer.end(), frame.endOfAnswers(text.text())) : answer.end();
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
      int start = frame.start(before);
      if (before.endsWith(frame.prompt())
          && after.startsWith(before.substring(0, Math.min(start, before.length())))
          && after.startsWith(frame.header(), start - frame.header().length())) {
        return Optional.of(span(start, Math.max(start, end(after))));
      }
    }
    return findByChange(message, after);
  }

  /** Where an answer ends that a text ends with, and with which the whole text begins. */
  private int end(String after) {
    int end = frame.endOfAnswers(after);
    boolean goesOn =
        end == after.length()
            && !after.endsWith(frame.end())
            && text.text().startsWith(frame.end(), end);
    return end + (goesOn ? frame.end().length() : 0);
  }

  private Optional<Span> findByChange(int message, String after) {
    String whole = text.text();
    Optional<String> replaced = withOther(message);
    if (replaced.isEmpty()) {
      return Optional.empty(); // The template leaves it out.
    }
    int changed = commonPrefix(whole, replaced.get());
    String begin = frame.header();
    int begun = begin.isEmpty() ? -1 : whole.lastIndexOf(begin, changed - begin.length());
    int start = begun < 0 ? changed : begun + begin.length();
    int next = next(message, start);
    int end =
        frame.end().isEmpty() ? -1 : whole.lastIndexOf(frame.end(), next - frame.end().length());
    return Optional.of(
        span(
            start,
            end < start
                ? mostAlike(start, next, after.substring(0, frame.endOfAnswers(after)))
                : end + frame.end().length()));
  }

  /** Where at the latest an answer ends: what the next message says comes behind it. */
  private int next(int message, int start) {
    String whole = text.text();
    for (int i = message + 1; i < messages.size(); i++) {
      Message next = messages.get(i);
      String replaced = with(messages, i, new Message(next.role(), OTHER, next.fields()));
      int changed = commonPrefix(whole, replaced);
      if (replaced.contains(OTHER) && changed >= start) {
        return changed;
      }
    }
    return frame.endOfAnswers(whole);
  }

  /** Where what comes before is as it is at the end of another text for as long as possible. */
  private int mostAlike(int start, int next, String other) {
    String whole = text.text();
    int best = next;
    int most = 0;
    for (int end = next; end > start; end--) {
      int common = 0;
      while (common < Math.min(end - start, other.length())
          && whole.charAt(end - 1 - common) == other.charAt(other.length() - 1 - common)) {
        common++;
      }
      if (common > most) {
        most = common;
        best = end;
      }
    }
    return best;
  }

  /** With nothing of a message left, or with a call where what comes after needs one. */
  private Optional<String> withOther(int message) {
    Object calls = messages.get(message).fields().get("tool_calls");
    for (Message other :
        List.of(
            Message.assistant(OTHER),
            Message.assistant(OTHER).with("tool_calls", calls),
            Message.assistant("").withToolCalls(List.of(new ToolCall(OTHER, OTHER, "{}"))))) {
      try {
        String replaced = with(messages, message, other);
        if (replaced.contains(OTHER)) {
          return Optional.of(replaced);
        }
      } catch (TemplateException e) {
        // Perhaps it takes the next.
      }
    }
    return Optional.empty();
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
