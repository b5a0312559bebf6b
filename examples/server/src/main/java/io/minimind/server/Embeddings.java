package io.minimind.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.infer.ContextLengthException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** {@code POST /v1/embeddings} and Ollama's {@code /api/embed}. */
final class Embeddings {
  private final Models models;
  private final Answering.Server server;

  Embeddings(Models models, Answering.Server server) {
    this.models = models;
    this.server = server;
  }

  /** What is made of vectors. */
  private interface Form {
    ObjectNode answer(ServedModel model, List<float[]> vectors, int tokens);
  }

  /** In OpenAI's form. */
  void openAi(Exchange exchange, Fields body) {
    boolean base64 =
        switch (body.string("encoding_format").orElse("float")) {
          case "float" -> false;
          case "base64" -> true;
          default ->
              throw ApiError.invalid("encoding_format", "encoding_format must be float or base64.");
        };
    answer(
        exchange,
        body,
        "input",
        (model, vectors, tokens) -> {
          checkDimensions(body, vectors);
          ObjectNode answer = Json.object().put("object", "list").put("model", model.name());
          ArrayNode data = answer.putArray("data");
          for (float[] vector : vectors) {
            ObjectNode one = data.addObject().put("object", "embedding");
            one.put("index", data.size() - 1);
            if (base64) {
              one.put("embedding", base64(vector));
            } else {
              put(one.putArray("embedding"), vector);
            }
          }
          answer.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
          return answer;
        });
  }

  private static void checkDimensions(Fields body, List<float[]> vectors) {
    int width = vectors.get(0).length;
    if (body.integer("dimensions", 1, Integer.MAX_VALUE).orElse(width) != width) {
      throw ApiError.invalid(
          "dimensions", "The vectors of this model have %d dimensions.".formatted(width));
    }
  }

  private static String base64(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }

  /** In Ollama's form. */
  void ollama(Exchange exchange, Fields body) {
    answer(
        exchange,
        body,
        "input",
        (model, vectors, tokens) -> {
          ObjectNode answer = Json.object().put("model", model.name());
          ArrayNode all = answer.putArray("embeddings");
          vectors.forEach(vector -> put(all.addArray(), vector));
          return answer.put("prompt_eval_count", tokens);
        });
  }

  private static void put(ArrayNode node, float[] vector) {
    for (float value : vector) {
      node.add(value);
    }
  }

  private void answer(Exchange exchange, Fields body, String name, Form form) {
    ServedModel model = models.find(body.string("model"));
    List<OpenAiCompletions.Prompt> inputs = OpenAiCompletions.prompts(body, name, model.model());
    model.enter(1);
    server
        .threads()
        .execute(
            () -> {
              long start = System.nanoTime();
              try {
                exchange.answer(embed(model, inputs, form));
              } catch (ApiError e) {
                exchange.fail(e);
              } catch (ContextLengthException e) {
                exchange.fail(ApiError.tooLong(e.getMessage()));
              } catch (IllegalArgumentException e) {
                exchange.fail(ApiError.invalid(name, e.getMessage()));
              } catch (IllegalStateException e) {
                exchange.fail(ApiError.failed(e.getMessage()));
              } finally {
                model.leave((System.nanoTime() - start) / 1e9);
              }
            });
  }

  private static ObjectNode embed(
      ServedModel model, List<OpenAiCompletions.Prompt> inputs, Form form) {
    List<float[]> vectors = new ArrayList<>();
    int tokens = 0;
    for (OpenAiCompletions.Prompt input : inputs) {
      vectors.add(model.model().embed(input.text()));
      tokens += model.model().tokenizer().encode(input.text()).length;
    }
    return form.answer(model, vectors, tokens);
  }
}
