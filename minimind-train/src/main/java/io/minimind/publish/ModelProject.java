package io.minimind.publish;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/** The {@code pom.xml} that makes a published folder a Maven module without any code. */
final class ModelProject {

  static final String FILE = "pom.xml";

  private ModelProject() {}

  /**
   * @param files what the jar takes from the folder
   */
  static String pom(Publication publication, List<String> files) throws IOException {
    String licenses =
        publication
            .license()
            .map(id -> "<licenses><license><name>" + id + "</name></license></licenses>")
            .orElse("<!-- Its makers named no licence. -->");
    String includes =
        files.stream()
            .map(file -> "<include>" + file + "</include>")
            .collect(Collectors.joining("\n          "));
    return template()
        .replace("@group@", publication.group())
        .replace("@name@", publication.name())
        .replace("@version@", publication.version())
        .replace("@licenses@", licenses)
        .replace("@includes@", includes);
  }

  private static String template() throws IOException {
    try (InputStream in = ModelProject.class.getResourceAsStream("pom.xml")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
