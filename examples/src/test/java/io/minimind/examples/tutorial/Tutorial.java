package io.minimind.examples.tutorial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A tutorial in Markdown, as a test sees it: its fenced blocks. How they are followed is said in
 * {@link Walkthrough}.
 */
record Tutorial(Path file, String text, List<Block> blocks) {

  private static final Pattern NOTE = Pattern.compile("<!-- In the test: (.*) -->");
  private static final String FENCE = "```";

  static Tutorial read(Path file) throws IOException {
    String text = Files.readString(file);
    List<Block> blocks = new ArrayList<>();
    List<String> lines = text.lines().toList();
    Optional<Note> note = Optional.empty();
    for (int i = 0; i < lines.size(); i++) {
      Matcher comment = NOTE.matcher(lines.get(i));
      if (comment.matches()) {
        note = Optional.of(Note.parse(comment.group(1), i + 1));
      } else if (lines.get(i).startsWith(FENCE)) {
        int end = i + 1;
        while (!lines.get(end).startsWith(FENCE)) {
          end++;
        }
        String language = lines.get(i).substring(FENCE.length());
        String content = String.join("\n", lines.subList(i + 1, end));
        blocks.add(new Block(language, content, i + 1, note));
        note = Optional.empty();
        i = end;
      }
    }
    return new Tutorial(file, text, List.copyOf(blocks));
  }

  /** The text without its fenced blocks, where names of the code stand. */
  String prose() {
    return Pattern.compile("(?ms)^```.*?^```$").matcher(text).replaceAll("");
  }
}
