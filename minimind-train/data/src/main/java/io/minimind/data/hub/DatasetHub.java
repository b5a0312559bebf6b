package io.minimind.data.hub;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.ArgumentException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a data set lies: the addresses of its list and its files. Two layouts are known, those of
 * Hugging Face and of ModelScope; mirrors have one of them.
 *
 * @param base the hub's address, without a slash at its end
 * @param dataset owner and name
 * @param revision a branch, a tag or a commit
 * @param layout how addresses are made
 */
public record DatasetHub(URI base, String dataset, String revision, Layout layout) {

  /** How a hub makes addresses. */
  public enum Layout {
    HUGGING_FACE("https://huggingface.co", "main"),
    MODEL_SCOPE("https://www.modelscope.cn", "master");

    private final String base;
    private final String revision;

    Layout(String base, String revision) {
      this.base = base;
      this.revision = revision;
    }

    /** The hub whose layout it is. */
    public URI base() {
      return URI.create(base);
    }

    /** The revision that is taken where none is named. */
    public String revision() {
      return revision;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A file of a data set.
   *
   * @param path within the data set, with slashes
   * @param size in bytes
   * @param sha256 its SHA-256 in hexadecimal, if the hub knows it
   * @param gitBlob its SHA-1 as git computes it, if the hub knows that instead
   */
  public record File(String path, long size, Optional<String> sha256, Optional<String> gitBlob) {}

  /** What the list of a revision holds. */
  record Listing(Optional<String> commit, List<File> files) {}

  /**
   * @throws IllegalArgumentException if the data set is not named by owner and name, or the address
   *     is none of a hub
   */
  public DatasetHub {
    if (!dataset.matches("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*")) {
      throw new ArgumentException(
          "The data set %s is not named as a hub does: expected OWNER/NAME.".formatted(dataset));
    }
    if (revision.isBlank()) {
      throw new ArgumentException("The revision is empty.");
    }
    String scheme = String.valueOf(base.getScheme());
    if (!scheme.matches("https?") || base.getHost() == null) {
      throw new ArgumentException(
          "The mirror %s is no address of a hub: expected https://HOST.".formatted(base));
    }
  }

  /** Where a file is. */
  URI file(String path, String commit) {
    return layout == Layout.HUGGING_FACE
        ? address("/datasets/" + dataset + "/resolve/" + encoded(commit) + "/" + encodedPath(path))
        : address(
            "/api/v1/datasets/%s/repo?Revision=%s&FilePath=%s"
                .formatted(dataset, encoded(commit), encoded(path)));
  }

  /** All files of the revision. */
  Listing list(Transfer transfer) throws IOException {
    return layout == Layout.HUGGING_FACE ? huggingFace(transfer) : modelScope(transfer);
  }

  private Listing huggingFace(Transfer transfer) throws IOException {
    JsonNode info =
        transfer.json(address("/api/datasets/" + dataset + "/revision/" + encoded(revision)));
    Optional<String> commit = text(info, "sha").filter(sha -> sha.matches("[0-9a-f]{40}"));
    List<File> files = new ArrayList<>();
    Optional<URI> page =
        Optional.of(
            address(
                "/api/datasets/%s/tree/%s?recursive=true"
                    .formatted(dataset, encoded(commit.orElse(revision)))));
    Set<URI> pages = new HashSet<>();
    while (page.isPresent()) {
      if (!pages.add(page.get())) {
        throw new IOException("the hub's list goes in circles");
      }
      Transfer.Page read = transfer.page(page.get());
      for (JsonNode entry : read.json()) {
        if (entry.path("type").asText().equals("file")) {
          JsonNode stored = entry.path("lfs");
          Optional<String> sha256 = text(stored, "oid").or(() -> text(stored, "sha256"));
          files.add(
              file(
                  entry.path("path").asText(),
                  stored.path("size").asLong(entry.path("size").asLong(-1)),
                  sha256.map(oid -> oid.replaceFirst("^sha256:", "")),
                  sha256.isPresent() ? Optional.empty() : text(entry, "oid")));
        }
      }
      page = read.next();
    }
    return new Listing(commit, files);
  }

  private Listing modelScope(Transfer transfer) throws IOException {
    List<File> files = new ArrayList<>();
    List<String> folders = new ArrayList<>(List.of("/"));
    for (int i = 0; i < folders.size(); i++) {
      int size = 100;
      for (int number = 1, count = size; count == size; number++) {
        JsonNode entries =
            transfer
                .json(
                    address(
                        "/api/v1/datasets/%s/repo/tree?Revision=%s&Root=%s&PageNumber=%s&PageSize=%s"
                            .formatted(
                                dataset, encoded(revision), encoded(folders.get(i)), number, size)))
                .path("Data")
                .path("Files");
        for (JsonNode entry : entries) {
          if (entry.path("Type").asText().equals("tree")) {
            folders.add(entry.path("Path").asText());
          } else {
            files.add(
                file(
                    entry.path("Path").asText(),
                    entry.path("Size").asLong(-1),
                    text(entry, "Sha256"),
                    Optional.empty()));
          }
        }
        count = entries.size();
      }
    }
    return new Listing(Optional.empty(), files);
  }

  /** A path must stay within the folder that files are written to. */
  private File file(String path, long size, Optional<String> sha256, Optional<String> blob)
      throws IOException {
    boolean leaves =
        Stream.of(path.split("/", -1)).anyMatch(part -> part.isEmpty() || part.matches("\\.+"));
    if (leaves || path.matches(".*[\\\\:\\x00-\\x1F].*") || size < 0) {
      throw new IOException("The hub lists a file that cannot be: \"%s\".".formatted(shown(path)));
    }
    return new File(
        path,
        size,
        sha256.filter(sha -> sha.matches("[0-9a-f]{64}")),
        blob.filter(sha -> sha.matches("[0-9a-f]{40}")));
  }

  private URI address(String path) {
    return URI.create(base.toString().replaceFirst("/+$", "") + path);
  }

  private static Optional<String> text(JsonNode node, String field) {
    return Optional.ofNullable(node.path(field).textValue()).filter(text -> !text.isBlank());
  }

  private static String shown(String path) {
    String shown = path.replaceAll("\\p{Cntrl}", "?");
    return shown.length() > 100 ? shown.substring(0, 100) + "…" : shown;
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static String encodedPath(String path) {
    return Stream.of(path.split("/")).map(DatasetHub::encoded).collect(Collectors.joining("/"));
  }
}
