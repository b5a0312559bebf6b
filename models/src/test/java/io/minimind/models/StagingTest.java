package io.minimind.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/**
 * What a release writes has all that Maven Central asks for, signatures apart, since those need a
 * key, and is the same again when it is made elsewhere. The release is made in copies of the
 * sources.
 */
@Timeout(900)
class StagingTest {

  private static final String GROUP = "io/minimind";

  @TempDir static Path folder;
  private static List<String> modules;
  private static Path staging;

  @BeforeAll
  static void makeRelease() throws Exception {
    modules = published();
    staging = folder.resolve("staging");
    release("first", "deploy", "-DaltDeploymentRepository=staging::" + staging.toUri());
  }

  private static void release(String copy, String... arguments) throws Exception {
    Path sources = folder.resolve(copy);
    Builds.copyProject(modules, sources);
    Builds.maven(
        sources,
        Stream.concat(
                Stream.of(
                    "-Prelease",
                    "--projects=:minimind," + String.join(",", modules),
                    "-Dmaven.repo.local=" + Builds.localRepository(),
                    "-DskipTests",
                    "-Dmaven.install.skip",
                    "-Dspotless.check.skip"),
                Stream.of(arguments))
            .toArray(String[]::new));
  }

  /** The modules of the project that are deployed, those that contain others first. */
  private static List<String> published() throws IOException {
    try (Stream<Path> poms = Files.find(Project.ROOT, 4, (file, is) -> file.endsWith("pom.xml"))) {
      return poms.filter(pom -> !pom.getParent().equals(Project.ROOT))
          .filter(pom -> isPublished(xml(pom)))
          .map(pom -> Project.ROOT.relativize(pom.getParent()).toString().replace('\\', '/'))
          .filter(module -> !(module + "/").contains("/target/"))
          .sorted()
          .toList();
    }
  }

  private static boolean isPublished(Document pom) {
    return text(pom, "/project/parent/groupId").equals("io.minimind")
        && !text(pom, "/project/properties/maven.deploy.skip").equals("true");
  }

  @Test
  void everyModuleHasItsJarsAndChecksums() throws Exception {
    assertTrue(modules.contains("minimind-infer") && modules.contains("examples/server"));
    for (String module : modules) {
      Document pom = xml(Project.ROOT.resolve(module).resolve("pom.xml"));
      Path place = place(text(pom, "/project/artifactId"));
      assertComplete(file(place, ".pom"));
      if (text(pom, "/project/packaging").equals("pom")) {
        continue;
      }
      for (String jar : List.of(".jar", "-sources.jar", "-javadoc.jar", "-cyclonedx.json")) {
        assertComplete(file(place, jar));
      }
      assertEntry(file(place, ".jar"), ".class");
      assertEntry(file(place, "-sources.jar"), ".java");
      assertEntry(file(place, "-javadoc.jar"), "index.html");
      JsonNode bill = new ObjectMapper().readTree(file(place, "-cyclonedx.json").toFile());
      assertEquals("CycloneDX", bill.path("bomFormat").asText());
      assertTrue(
          bill.path("metadata")
              .path("component")
              .path("purl")
              .asText()
              .contains(text(pom, "/project/artifactId")),
          bill.path("metadata").toString());
    }
  }

  @Test
  void everyPomSaysWhatTheModuleIsAndWhose() throws Exception {
    Document parent = xml(file(place("minimind"), ".pom"));
    for (String element :
        List.of(
            "url",
            "licenses/license/name",
            "licenses/license/url",
            "developers/developer/name",
            "scm/connection",
            "scm/developerConnection",
            "scm/url")) {
      assertFalse(text(parent, "/project/" + element).isBlank(), element);
    }
    for (String module : modules) {
      Document pom = xml(Project.ROOT.resolve(module).resolve("pom.xml"));
      String artifact = text(pom, "/project/artifactId");
      Document deployed = xml(file(place(artifact), ".pom"));
      assertFalse(text(deployed, "/project/name").isBlank(), artifact);
      assertFalse(text(deployed, "/project/description").isBlank(), artifact);
      assertFalse(text(deployed, "/project/parent/version").endsWith("-SNAPSHOT"), artifact);
      assertEquals("", text(deployed, "//dependency/systemPath"), artifact);
    }
  }

  @Test
  void theSameSourcesGiveTheSameJars() throws Exception {
    release("again/elsewhere", "package", "-Dmaven.javadoc.skip", "-Dcyclonedx.skip");
    for (String module : modules) {
      Path target = folder.resolve("again/elsewhere").resolve(module).resolve("target");
      if (!Files.isDirectory(target.resolve("classes"))) {
        continue;
      }
      String artifact =
          text(xml(Project.ROOT.resolve(module).resolve("pom.xml")), "/project/artifactId");
      for (String kind : List.of(".jar", "-sources.jar")) {
        Path first = file(place(artifact), kind);
        assertArrayEquals(
            Files.readAllBytes(first),
            Files.readAllBytes(target.resolve(first.getFileName())),
            () -> first.getFileName() + " is another when it is built elsewhere.");
      }
    }
  }

  private static Path place(String artifact) throws IOException {
    try (Stream<Path> versions = Files.list(staging.resolve(GROUP).resolve(artifact))) {
      Optional<Path> version = versions.filter(Files::isDirectory).findFirst();
      return version.orElseThrow();
    }
  }

  private static Path file(Path place, String ending) {
    String name = place.getParent().getFileName() + "-" + place.getFileName() + ending;
    return place.resolve(name);
  }

  private static void assertComplete(Path file) throws Exception {
    byte[] bytes = Files.readAllBytes(file);
    for (String algorithm : List.of("MD5", "SHA-1")) {
      String ending = "." + algorithm.toLowerCase(Locale.ROOT).replace("-", "");
      assertEquals(
          HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes)),
          Files.readString(file.resolveSibling(file.getFileName() + ending)).strip());
    }
  }

  private static void assertEntry(Path jar, String ending) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      assertNotNull(
          zip.stream().filter(entry -> entry.getName().endsWith(ending)).findAny().orElse(null),
          () -> jar + " has nothing that ends in " + ending);
    }
  }

  private static Document xml(Path file) {
    try {
      return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
    } catch (Exception e) {
      throw new IllegalStateException(file.toString(), e);
    }
  }

  private static String text(Document document, String path) {
    try {
      return XPathFactory.newInstance().newXPath().evaluate(path, document);
    } catch (Exception e) {
      throw new IllegalStateException(path, e);
    }
  }
}
