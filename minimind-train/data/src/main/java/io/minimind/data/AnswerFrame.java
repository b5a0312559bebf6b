package io.minimind.data;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.template.TemplateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a template writes around an answer. Each part is empty if it writes nothing there, or if
 * that cannot be told from what else it writes.
 *
 * @param prompt when it asks for an answer
 * @param header before an answer: the prompt without what the answer thinks
 * @param end behind an answer that others follow
 * @param trailer behind the last answer and its end, in nobody's name
 */
record AnswerFrame(String prompt, String header, String end, String trailer) {

  /** Stands in the place of what is said; the characters are nobody's, so no text has it. */
  static final String OTHER = "\uE000other\uE001";

  private static final String NEXT = "\uE000next\uE001";

  private static final String THINKING = "<think>";

  private static final AnswerFrame NONE = new AnswerFrame("", "", "", "");

  private static final Map<String, Object> TOOL =
      Map.of(
          "type",
          "function",
          "function",
          Map.of(
              "name",
              "tool",
              "description",
              "",
              "parameters",
              Map.of("type", "object", "properties", Map.of())));

  static AnswerFrame of(ChatTemplate template) {
    TemplateOptions options = TemplateOptions.defaults();
    AnswerFrame frame = new Finder(template, options).frame();
    // A template that is for tools fails where there are none.
    return frame.equals(NONE)
        ? new Finder(template, options.withTools(List.of(TOOL))).frame()
        : frame;
  }

  /** Where an answer starts that a text asks for. */
  int start(String asked) {
    return asked.length() - prompt.length() + header.length();
  }

  /** How much of a text is said by somebody. */
  int endOfAnswers(String text) {
    return text.length() - (text.endsWith(trailer) ? trailer.length() : 0);
  }

  /** Finds out from a few short conversations. */
  private record Finder(ChatTemplate template, TemplateOptions options) {

    private static final List<Message> QUESTION = List.of(Message.user("?"));

    AnswerFrame frame() {
      String eos = template.specialToken("eos_token").orElse("");
      String prompt = prompt(eos);
      String last = behind(Message.assistant(OTHER));
      String between = behind(Message.assistant(OTHER), Message.assistant(NEXT)).split(NEXT, 2)[0];
      String header = prompt.split(THINKING, 2)[0];
      if (prompt.isEmpty() && !last.isEmpty() && between.startsWith(last)) {
        header = between.substring(last.length()); // It does not ask for answers, but begins them.
      }
      header = header.isBlank() ? "" : header;
      String end = end(header, last, between);
      String rest = !end.isEmpty() && last.startsWith(end) ? last.substring(end.length()) : "";
      String trailer = rest.startsWith(eos) ? rest.substring(eos.length()) : rest;
      return new AnswerFrame(prompt, header, end, trailer.isBlank() ? "" : trailer);
    }

    /** Some templates write the token that ends texts where no answer is asked for. */
    private String prompt(String eos) {
      try {
        String asked = template.render(QUESTION, options);
        String open =
            asked.endsWith(eos) ? asked.substring(0, asked.length() - eos.length()) : asked;
        String answered = template.render(QUESTION, options.withAddGenerationPrompt(true));
        return answered.startsWith(open) ? answered.substring(open.length()) : "";
      } catch (TemplateException e) {
        return "";
      }
    }

    /**
     * How a turn ends.
     *
     * @param last behind the last answer
     * @param between two answers in a row, where there is nothing else but the second's header
     */
    private String end(String header, String last, String between) {
      int end = between.lastIndexOf(header);
      if (end == 0 && last.isEmpty()) {
        end = between.indexOf('\n') + 1; // Even a question is ended by what follows it only.
      }
      if (end > 0) {
        return between.substring(0, end).isBlank() ? "" : between.substring(0, end);
      }
      // A template that wants turns to alternate mostly ends all of them in the same way.
      String turn = behind(Message.assistant(OTHER), Message.user(NEXT));
      return !last.isBlank() && turn.startsWith(last) ? last : "";
    }

    /** What comes behind the first of these messages, if it is there and others may follow it. */
    private String behind(Message... messages) {
      List<Message> all = new ArrayList<>(QUESTION);
      all.addAll(List.of(messages));
      try {
        String text = template.render(all, options);
        int other = text.indexOf(OTHER);
        return other < 0 ? "" : text.substring(other + OTHER.length());
      } catch (TemplateException e) {
        return "";
      }
    }
  }
}
