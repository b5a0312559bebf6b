package io.minimind.examples.tutorial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names in a document that stand in code spans, held against the sources:
 *
 * <ul>
 *   <li>{@code Type}, {@code Type.member}: a type that is declared, and what occurs in its file;
 *   <li>{@code folder/File}, {@code folder/…/File}: the end of a path in the project, with or
 *       without {@code .java};
 *   <li>{@code ./minimind command --option}: commands and options that are declared;
 *   <li>{@code minimind-infer}: a module;
 *   <li>anything else, such as a variable or a tensor, occurs somewhere in the sources, or in the
 *       document's own blocks.
 * </ul>
 */
final class CodeNames {

  private static final Pattern SPAN = Pattern.compile("`([^`\n]+)`");
  private static final Pattern TYPE =
      Pattern.compile("\\b(?:class|record|interface|enum) ([A-Z]\\w*)");
  private static final Pattern MODULE =
      Pattern.compile("<artifactId>([^<]+)</artifactId>\\s*<name>");
  private static final Pattern MEMBER = Pattern.compile("([A-Z]\\w*)(?:\\.(\\w+))?(?:\\(.*\\))?");
  private static final Pattern OPTION = Pattern.compile("--[a-z][a-z-]*");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(?:#([^)]+))?\\)");

  private final Map<Path, String> sources = new TreeMap<>();
  private final Map<String, List<String>> types = new TreeMap<>();
  private final List<String> paths = new ArrayList<>();
  private final Set<String> modules = new TreeSet<>();

  private CodeNames() {}

  static CodeNames ofProject() throws IOException {
    CodeNames names = new CodeNames();
    for (Path file : Project.files()) {
      Path path = Project.HOME.relativize(file);
      names.paths.add(path.toString());
      if (path.toString().endsWith(".java")) {
        String text = Files.readString(file);
        names.sources.put(path, text);
        Matcher type = TYPE.matcher(text);
        while (type.find()) {
          names.types.computeIfAbsent(type.group(1), name -> new ArrayList<>()).add(text);
        }
      }
      if (path.endsWith("pom.xml")) {
        Matcher module = MODULE.matcher(Files.readString(file));
        if (module.find()) {
          names.modules.add(module.group(1));
        }
      }
    }
    return names;
  }

  /** The code spans of a document that name nothing. */
  List<String> unknown(Tutorial document) {
    StringBuilder blocks = new StringBuilder();
    document.blocks().forEach(block -> blocks.append(block.text()).append('\n'));
    return SPAN.matcher(document.prose())
        .results()
        .map(span -> span.group(1))
        .filter(span -> !isKnown(span) && blocks.indexOf(span) < 0)
        .toList();
  }

  private boolean isKnown(String span) {
    Matcher member = MEMBER.matcher(span);
    if (span.startsWith("mvn ") || span.startsWith("./mvnw ") || modules.contains(span)) {
      return true;
    }
    if (span.startsWith("./minimind ") || span.startsWith("--")) {
      return isCommand(span);
    }
    if (member.matches() && types.containsKey(member.group(1))) {
      return member.group(2) == null
          || types.get(member.group(1)).stream().anyMatch(text -> has(text, member.group(2)));
    }
    if (span.contains("/") && !span.contains(" ")) {
      return isPath(span);
    }
    return sources.values().stream().anyMatch(text -> has(text, span))
        || paths.stream().anyMatch(path -> path.endsWith("/" + span) || path.equals(span));
  }

  private static boolean has(String text, String word) {
    return Pattern.compile("(?<!\\w)" + Pattern.quote(word) + "(?!\\w)").matcher(text).find();
  }

  private boolean isPath(String span) {
    String end = span.endsWith("/") ? span.substring(0, span.length() - 1) : span;
    String pattern = "(?:.*/)?" + Pattern.quote(end).replace("…", "\\E.*\\Q") + "(?:\\.java|/.*)?";
    return span.startsWith("out/") || paths.stream().anyMatch(path -> path.matches(pattern));
  }

  private boolean isCommand(String line) {
    for (String word : line.replace("./minimind", "").strip().split("[ =]")) {
      boolean option = OPTION.matcher(word).matches();
      if (option && !declares("\"" + word + "\"") && !word.equals("--help")) {
        return false;
      }
      // The words before the first option are the command, those after it are values.
      if (word.startsWith("-")) {
        continue;
      }
      if (!line.startsWith("--") && line.indexOf(word) < firstOption(line)) {
        if (!word.equals("…") && !declares("name = \"" + word + "\"")) {
          return false;
        }
      }
    }
    return true;
  }

  private static int firstOption(String line) {
    int option = line.indexOf(" -");
    return option < 0 ? line.length() : option;
  }

  private boolean declares(String text) {
    return sources.entrySet().stream()
        .anyMatch(file -> file.getKey().startsWith("examples") && file.getValue().contains(text));
  }

  /** The links of a document into the project that lead nowhere. */
  static List<String> brokenLinks(Tutorial document) throws IOException {
    List<String> broken = new ArrayList<>();
    Matcher link = LINK.matcher(document.prose());
    while (link.find()) {
      Path target = document.file().resolveSibling(link.group(1));
      if (!Files.exists(target)) {
        broken.add(link.group());
      } else if (link.group(2) != null && !anchors(target).contains(link.group(2))) {
        broken.add(link.group());
      }
    }
    return broken;
  }

  private static List<String> anchors(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
        .map(line -> line.replaceAll("[^\\w -]", "").replace(' ', '-'))
        .toList();
  }
}
