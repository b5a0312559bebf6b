package io.minimind.infer.constraint;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/** Finds what a schema refers to within its document. */
final class SchemaReferences {
  /** Characters of a pointer to a part of a schema. */
  private static final int LONGEST_PLACE = 10_000;

  private final JsonNode root;
  private final Map<JsonNode, Schema> schemas = new IdentityHashMap<>();
  private final Map<JsonNode, Schema> values = new IdentityHashMap<>();
  private Map<String, JsonNode> identified; // null until it is needed

  SchemaReferences(JsonNode root) {
    this.root = root;
  }

  Schema root() {
    return schema(root, "#", root);
  }

  /** A part of a schema that is a schema itself. */
  Schema part(Schema whole, JsonNode json, String at) {
    return schema(json, at, whole.base());
  }

  /** A value that a schema lists, or a part of one. */
  Schema value(Schema lister, JsonNode json) {
    return values.computeIfAbsent(json, j -> new Schema(j, true, lister.at(), lister.base()));
  }

  private Schema schema(JsonNode json, String at, JsonNode base) {
    if (at.length() > LONGEST_PLACE) {
      throw SchemaNode.refusal(at.substring(0, 60) + "...", "is nested too deeply");
    }
    return schemas.computeIfAbsent(
        json, j -> new Schema(j, false, at, identifier(j) == null ? base : j));
  }

  /** The identifier under which a schema can be referred to, or null. */
  private static String identifier(JsonNode json) {
    JsonNode id = json.has("$id") ? json.get("$id") : json.get("id");
    return id != null && id.isTextual() && !id.textValue().startsWith("#") ? id.textValue() : null;
  }

  /** Whether a {@code $ref} hides all that stands beside it, as up to draft 7. */
  boolean referencesStandAlone() {
    return root.path("$schema").asText().matches(".*draft-0[3-7].*");
  }

  /**
   * What a reference refers to.
   *
   * @throws IllegalArgumentException if it is not there
   */
  Schema target(Schema schema, String keyword, String reference) {
    int hash = reference.indexOf('#');
    String file = hash < 0 ? reference : reference.substring(0, hash);
    String fragment = hash < 0 ? "" : decoded(reference.substring(hash + 1));
    JsonNode base = file.isEmpty() ? schema.base() : document(schema, file);
    Schema found = base == null ? null : within(base, fragment);
    if (found == null && base == schema.base()) {
      // Some generators write identifiers that are none, and refer to the whole document.
      found = within(root, fragment);
    }
    if (found == null) {
      throw SchemaNode.refusal(
          SchemaNode.below(schema.at(), keyword),
          "refers to \"%s\", which is not there; expected # or a place in this schema such as #/$defs/name"
              .formatted(reference));
    }
    return found;
  }

  private JsonNode document(Schema schema, String file) {
    find();
    JsonNode found = identified.get(file);
    return found != null ? found : identified.get(resolved(absolute(schema.base()), file));
  }

  private Schema within(JsonNode base, String fragment) {
    if (fragment.isEmpty()) {
      return schema(base, "#", base);
    }
    if (!fragment.startsWith("/")) {
      find();
      JsonNode found = identified.get("#" + fragment);
      return found == null ? null : schema(found, "#" + fragment, root);
    }
    JsonPointer pointer = JsonPointer.compile(fragment);
    JsonNode at = base;
    JsonNode inside = base;
    while (!pointer.matches()) {
      at =
          at.isArray()
              ? at.path(Math.max(0, pointer.getMatchingIndex()))
              : at.path(pointer.getMatchingProperty());
      inside = identifier(at) == null ? inside : at;
      pointer = pointer.tail();
    }
    return at.isMissingNode() ? null : schema(at, "#" + fragment, inside);
  }

  /** Notes all identifiers and anchors. */
  private void find() {
    if (identified != null) {
      return;
    }
    identified = new HashMap<>();
    Deque<Map.Entry<JsonNode, String>> pending = new ArrayDeque<>();
    pending.add(Map.entry(root, ""));
    while (!pending.isEmpty()) {
      Map.Entry<JsonNode, String> next = pending.remove();
      JsonNode json = next.getKey();
      String base = next.getValue();
      if (json.isObject()) {
        String id = identifier(json);
        if (id != null) {
          base = resolved(base, id);
          identified.putIfAbsent(base, json);
          identified.putIfAbsent(id.replaceFirst("#$", ""), json);
        }
        for (String key : new String[] {"$anchor", "$dynamicAnchor"}) {
          if (json.path(key).isTextual()) {
            identified.putIfAbsent("#" + json.path(key).textValue(), json);
          }
        }
        for (String key : new String[] {"$id", "id"}) {
          if (json.path(key).asText().startsWith("#")) {
            identified.putIfAbsent(json.path(key).textValue(), json);
          }
        }
      }
      for (JsonNode child : json) {
        pending.add(Map.entry(child, base));
      }
    }
  }

  private static String absolute(JsonNode base) {
    String id = identifier(base);
    return id == null ? "" : id;
  }

  private static String resolved(String base, String reference) {
    try {
      return URI.create(base).resolve(reference).toString().replaceFirst("#$", "");
    } catch (IllegalArgumentException e) {
      return reference;
    }
  }

  private static String decoded(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < encoded.length; i++) {
      int high = i + 2 < encoded.length ? Character.digit(encoded[i + 1], 16) : -1;
      int low = i + 2 < encoded.length ? Character.digit(encoded[i + 2], 16) : -1;
      if (encoded[i] == '%' && high >= 0 && low >= 0) {
        bytes.write(16 * high + low);
        i += 2;
      } else {
        bytes.write(encoded[i]);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
