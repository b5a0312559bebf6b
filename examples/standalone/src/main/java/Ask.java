import io.minimind.infer.Chat;
import io.minimind.infer.LanguageModel;

class Ask {
  public static void main(String[] args) throws Exception {
    try (LanguageModel model = LanguageModel.fromClasspath("minimind-demo");
        Chat chat = model.chat()) {
      System.out.println(chat.send("你是谁？").text());
    }
  }
}
