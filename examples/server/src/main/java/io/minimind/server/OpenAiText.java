package io.minimind.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.Reply;
import io.minimind.infer.TokenLogProbability;
import io.minimind.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;

/** What OpenAI's answers have in common. */
final class OpenAiText {
  private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

  private OpenAiText() {}

  static String id(String prefix) {
    return prefix + UUID.randomUUID().toString().replace("-", "");
  }

  static String finishReason(Reply reply) {
    if (!reply.toolCalls().isEmpty()) {
      return "tool_calls";
    }
    return reply.generation().finishReason() == FinishReason.LENGTH ? "length" : "stop";
  }

  /** The tokens of several answers to one prompt, or to several if they are not chosen among. */
  static ObjectNode usage(List<Reply> replies, int answersEach) {
    int prompt = 0;
    int cached = 0;
    int completion = 0;
    for (int i = 0; i < replies.size(); i++) {
      Generation written = replies.get(i).generation();
      completion += written.tokenIds().length;
      if (i % answersEach == 0) {
        prompt += written.promptTokens();
        cached += written.reusedTokens();
      }
    }
    ObjectNode usage = Json.object();
    usage.put("prompt_tokens", prompt);
    usage.put("completion_tokens", completion);
    usage.put("total_tokens", prompt + completion);
    usage.putObject("prompt_tokens_details").put("cached_tokens", cached);
    return usage;
  }

  static byte[] done() {
    return DONE.clone();
  }

  /** Log-probabilities as chats tell them. */
  static ObjectNode logProbabilities(List<TokenLogProbability> tokens, Tokenizer tokenizer) {
    ObjectNode all = Json.object();
    ArrayNode content = all.putArray("content");
    for (TokenLogProbability token : tokens) {
      ObjectNode one = content.addObject();
      put(one, token.tokenId(), token.logProbability(), tokenizer);
      ArrayNode alternatives = one.putArray("top_logprobs");
      token
          .alternatives()
          .forEach(
              other ->
                  put(
                      alternatives.addObject(),
                      other.tokenId(),
                      other.logProbability(),
                      tokenizer));
    }
    all.putNull("refusal");
    return all;
  }

  private static void put(ObjectNode one, int id, double logProbability, Tokenizer tokenizer) {
    one.put("token", tokenizer.decode(new int[] {id}));
    one.put("logprob", finite(logProbability));
    ArrayNode bytes = one.putArray("bytes");
    for (byte b : tokenizer.bytes(id)) {
      bytes.add(b & 0xFF);
    }
  }

  /** JSON has no infinity. */
  static double finite(double logProbability) {
    return Math.max(-9999, logProbability);
  }
}
