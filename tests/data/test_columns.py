import pytest

from recsys.data.columns import Columns, is_rating, resolve, resolve_names
from recsys.errors import LogError, ParameterError


def found(*names: str, **given: str) -> Columns:
    return resolve(names, source="log.csv", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("user", "item"), Columns("user", "item")),
        (("userId", "movieId", "rating", "timestamp"), Columns("userId", "movieId", "rating", "timestamp")),
        (
            ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"),
            Columns("CustomerID", "StockCode", "Quantity", "InvoiceDate"),
        ),
        (
            ("household_id", "product_id", "quantity", "transaction_timestamp"),
            Columns("household_id", "product_id", "quantity", "transaction_timestamp"),
        ),
        (("User-ID", "ISBN", "Book-Rating"), Columns("User-ID", "ISBN", "Book-Rating")),
        (("VISITOR ID", "Artist Id", "play_count"), Columns("VISITOR ID", "Artist Id", "play_count")),
        (("user", "user_id", "item", "item_id"), Columns("user_id", "item_id")),
        (("customer_id", "user_id", "asin", "weight", "date"), Columns("user_id", "asin", "weight", "date")),
        (("user", "item", "date", "timestamp"), Columns("user", "item", None, "timestamp")),
    ],
)
def test_usual_names_are_recognised(names: tuple[str, ...], expected: Columns) -> None:
    assert found(*names) == expected


def test_a_given_name_wins_and_is_not_used_twice() -> None:
    columns = found("user_id", "member", "item", "count", "clicks", user="member", value="clicks")
    assert columns == Columns("member", "item", "clicks", None)
    # user_id is named for the item, so that it is not recognised as the user as well
    assert found("user_id", "customer", item="user_id").user == "customer"


def test_a_dash_leaves_value_and_time_unused() -> None:
    columns = found("user", "item", "rating", "timestamp", value="-", time="-")
    assert columns == Columns("user", "item", None, None)


@pytest.mark.parametrize("role", ["user", "item"])
def test_users_and_items_cannot_be_ignored(role: str) -> None:
    with pytest.raises(ParameterError, match=f"{role} is '-'"):
        found("user", "item", **{role: "-"})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("user", "product_id", "movie_id"), r"'product_id', 'movie_id' could each be the item.*--item"),
        (("user_id", "userid", "item"), r"'user_id', 'userid' could each be the user.*--user"),
        (("user", "item", "count", "clicks"), r"'count', 'clicks' could each be the value.*--value"),
        (("user", "item", "rating", "quantity"), r"'rating', 'quantity' could each be the value"),
        (("user", "item", "time", "date"), r"'time', 'date' could each be the time.*--time"),
    ],
)
def test_names_of_equal_standing_are_a_question(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(LogError, match=message):
        found(*names)


def test_an_unknown_name_lists_the_columns_and_suggests() -> None:
    with pytest.raises(
        LogError, match=r"log\.csv: no column 'costumer_id' \(given as user\).*'Customer ID', 'item'"
    ) as caught:
        found("Customer ID", "item", user="costumer_id")
    assert "Did you mean 'Customer ID'?" in str(caught.value)


def test_one_column_for_two_roles_is_refused() -> None:
    with pytest.raises(LogError, match="column 'n': one column is named for value and time"):
        found("user", "item", "n", value="n", time="n")


def test_no_recognisable_column_says_how_to_name_one() -> None:
    with pytest.raises(LogError, match=r"no user and no item column.*'a', 'b'.*--user COLUMN"):
        found("a", "b")
    with pytest.raises(LogError, match=r"no header was found.*--user 1 --item 2\."):
        resolve(("1", "2"), source="x", has_header=False)


def test_long_lists_of_columns_are_cut() -> None:
    with pytest.raises(LogError, match="'c19' and 10 more"):
        found(*(f"c{number}" for number in range(30)))


@pytest.mark.parametrize("name", ["rating", "Score", "stars", "Book-Rating", "user_rating"])
def test_ratings_are_opinions(name: str) -> None:
    assert is_rating(name)


@pytest.mark.parametrize("name", ["count", "quantity", "plays", "weight", "rated_at"])
def test_amounts_are_not(name: str) -> None:
    assert not is_rating(name)


def test_names_of_items_are_recognised() -> None:
    assert resolve_names(("item", "title", "genres"), source="x") == ("item", "title")
    assert resolve_names(("id", "name"), source="x") == ("id", "name")
    assert resolve_names(("product_id", "product_name", "description"), source="x") == (
        "product_id",
        "product_name",
    )
    assert resolve_names(("a", "b"), source="x", item_id="b", item_name="a") == ("b", "a")
    with pytest.raises(LogError, match=r"'title', 'name' could each be the name.*--item-name"):
        resolve_names(("item", "title", "name"), source="x")
    with pytest.raises(LogError, match=r"usual name for the id of an item.*--item-id"):
        resolve_names(("what", "title"), source="x")
