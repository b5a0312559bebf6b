package io.minimind.examples.tutorial;

import java.util.ArrayList;
import java.util.List;

/**
 * What the test does with a block otherwise than a reader, in a comment before it that a renderer
 * hides:
 *
 * <pre>
 * &lt;!-- In the test: --epochs 20 becomes --max-updates 2; --layers 4 becomes --layers 1 --&gt;
 * &lt;!-- In the test: numbers differ --&gt;
 * &lt;!-- In the test: it fails --&gt;
 * &lt;!-- In the test: not run, it needs a network --&gt;
 * </pre>
 *
 * <p>The first is how a training of minutes becomes one of seconds. It is said at the command, not
 * done behind its back, so that whoever changes the command sees what the test makes of it. Numbers
 * in its output are then not compared.
 */
record Note(List<Replacement> replacements, boolean skipped, boolean fails, boolean numbersDiffer) {

  record Replacement(String from, String to) {}

  static Note parse(String text, int line) {
    List<Replacement> replacements = new ArrayList<>();
    boolean skipped = false;
    boolean fails = false;
    boolean numbersDiffer = false;
    for (String part : text.split(";")) {
      String direction = part.strip();
      int becomes = direction.indexOf(" becomes ");
      if (direction.startsWith("not run, ")) {
        skipped = true;
      } else if (direction.equals("it fails")) {
        fails = true;
      } else if (direction.equals("numbers differ")) {
        numbersDiffer = true;
      } else if (becomes > 0) {
        String to = direction.substring(becomes + " becomes ".length());
        numbersDiffer = true;
        replacements.add(new Replacement(direction.substring(0, becomes), to));
      } else {
        throw new IllegalArgumentException("Line " + line + ": what is '" + direction + "'?");
      }
    }
    return new Note(replacements, skipped, fails, numbersDiffer);
  }

  String applied(Block block) {
    String text = block.text();
    for (Replacement replacement : replacements) {
      if (!text.contains(replacement.from())) {
        throw new IllegalArgumentException(
            "Line %d: the block has no '%s' to replace."
                .formatted(block.line(), replacement.from()));
      }
      text = text.replace(replacement.from(), replacement.to());
    }
    return text;
  }
}
