package io.minimind.verify;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.template.Template;
import io.minimind.template.TemplateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Chat templates as their reference engines render them. */
final class TemplateCases {

  private record Conversation(String template, List<Turn> messages, String rendered) {

    String rerendered() {
      List<Message> turns =
          messages.stream().map(turn -> Message.of(turn.role(), turn.content())).toList();
      return ChatTemplate.parse(template, Map.of()).render(turns);
    }
  }

  private record Turn(String role, String content) {}

  private record Named(String name, String template, Map<String, Object> data, String target) {}

  private TemplateCases() {}

  /**
   * @throws IOException if a file of the reference is missing or damaged
   */
  static List<Case> of(GoldenFolder golden) throws IOException {
    List<Case> cases = new ArrayList<>();
    cases.add(conversations(golden));
    cases.addAll(named(golden, "jinja_chat_templates"));
    cases.addAll(named(golden, "jinja_units"));
    return cases;
  }

  private static Case conversations(GoldenFolder golden) throws IOException {
    Mismatches mismatches = new Mismatches();
    Conversation[] conversations = golden.read("chat_template", Conversation[].class);
    for (int i = 0; i < conversations.length; i++) {
      Conversation one = conversations[i];
      mismatches.add("conversation " + i, isRendered(one.rendered(), one::rerendered));
    }
    return mismatches.as("chat_template");
  }

  /** A case for each that differs, under its name, after one for the whole. */
  private static List<Case> named(GoldenFolder golden, String file) throws IOException {
    List<Case> cases = new ArrayList<>();
    Mismatches all = new Mismatches();
    for (Named one : golden.read(file, Named[].class)) {
      boolean same =
          isRendered(
              inAnySpelling(one.target()),
              () -> inAnySpelling(Template.parse(one.template()).render(one.data())));
      all.add(one.name(), same);
      if (!same) {
        Mismatches single = new Mismatches();
        single.add(one.name(), false);
        cases.add(single.as(file));
      }
    }
    cases.add(0, all.as(file));
    return cases;
  }

  /**
   * These cases are those of an engine in JavaScript. It prints values as JSON, where templates
   * here print them as Python does; that is not what the cases are about.
   */
  private static String inAnySpelling(String text) {
    return text.replace("True", "true")
        .replace("False", "false")
        .replace("None", "null")
        .replace('\'', '"');
  }

  private static boolean isRendered(String expected, Supplier<String> rendering) {
    try {
      return expected.equals(rendering.get());
    } catch (TemplateException e) {
      return false;
    }
  }
}
