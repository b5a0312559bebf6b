package io.minimind.publish;

import io.minimind.files.ArgumentException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a person says of a model when publishing it. All of it goes into YAML and XML, so names are
 * held to their usual characters.
 *
 * @param group the Maven group
 * @param name of the model, which is its Maven artifact and its folder on the class path
 * @param version the Maven version
 * @param description what the model is, in a sentence or more
 * @param license the identifier of its licence, as SPDX has it
 * @param languages codes of the languages that it was trained on
 */
public record Publication(
    String group,
    String name,
    String version,
    Optional<String> description,
    Optional<String> license,
    List<String> languages) {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");
  private static final Pattern LANGUAGE = Pattern.compile("[a-z]{2,3}(-[A-Za-z0-9]+)*");

  /**
   * @throws IllegalArgumentException if a name has characters that Maven, YAML or the class path
   *     cannot take
   */
  public Publication {
    requireName("group", group);
    requireName("name", name);
    requireName("version", version);
    license.ifPresent(value -> requireName("license", value));
    for (String language : languages) {
      if (!LANGUAGE.matcher(language).matches()) {
        throw new ArgumentException(
            "The language takes codes of languages, such as zh or en, but got '" + language + "'.");
      }
    }
    languages = List.copyOf(languages);
  }

  private static void requireName(String what, String value) {
    if (!NAME.matcher(value).matches()) {
      throw new ArgumentException(
          "The %s must consist of letters, digits, dots, dashes and underscores, but is '%s'."
              .formatted(what, value));
    }
  }
}
