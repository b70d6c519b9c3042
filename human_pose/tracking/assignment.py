"""The best one-to-one pairs of two groups, exactly.

The method is that of shortest augmenting paths: H. W. Kuhn, "The Hungarian Method for the Assignment Problem",
1955; R. Jonker and A. Volgenant, "A Shortest Augmenting Path Algorithm for Dense and Sparse Linear
Assignment Problems", 1987.
"""

import numpy as np


def best_pairs(gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of rows and columns whose gains have the largest sum.

    gain: (R, C); a pair with a gain of 0 or less, or NaN, is never made. Returns the rows, rising, and their columns.
    """
    allowed = gain > 0
    # A row and a column that may have only each other need no search. Most people stand alone, so this is usual.
    rows_choices, columns_choices = allowed.sum(1), allowed.sum(0)
    alone = allowed & (rows_choices == 1)[:, None] & (columns_choices == 1)
    rows, columns = alone.nonzero()
    if len(rows) == np.count_nonzero(rows_choices):
        return rows, columns
    left_rows = ((rows_choices > 0) & ~alone.any(1)).nonzero()[0]
    left_columns = ((columns_choices > 0) & ~alone.any(0)).nonzero()[0]
    left = np.where(allowed, gain, 0.0)[np.ix_(left_rows, left_columns)]
    chosen_rows, chosen_columns = cheapest_pairs(-left)
    paid = left[chosen_rows, chosen_columns] > 0
    rows = np.concatenate([rows, left_rows[chosen_rows[paid]]])
    columns = np.concatenate([columns, left_columns[chosen_columns[paid]]])
    order = rows.argsort()
    return rows[order], columns[order]


def cheapest_pairs(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of rows and columns whose costs have the smallest sum; each of the smaller side has its pair.

    cost: (R, C), finite. Returns the rows, rising, and their columns, min(R, C) of each.
    """
    if cost.shape[0] > cost.shape[1]:
        columns, rows = cheapest_pairs(cost.T)
        order = rows.argsort()
        return rows[order], columns[order]
    rows_count, columns_count = cost.shape
    row_price = np.zeros(rows_count)
    column_price = np.zeros(columns_count)
    row_of = np.full(columns_count, -1)
    column_of = np.full(rows_count, -1)
    for start in range(rows_count):
        # Dijkstra's search from the new row to the nearest free column; lengths are costs less prices, never negative.
        distance = np.full(columns_count, np.inf)
        came_from = np.full(columns_count, -1)  # the row before each column
        done = np.zeros(columns_count, bool)
        row, length = start, 0.0
        while True:
            through = length + cost[row] - row_price[row] - column_price
            nearer = ~done & (through < distance)
            distance[nearer] = through[nearer]
            came_from[nearer] = row
            column = int(np.where(done, np.inf, distance).argmin())
            length = distance[column]
            if row_of[column] < 0:
                break
            done[column] = True
            row = int(row_of[column])
        # New prices make every edge of the path free of charge, and leave no edge below 0.
        row_price[start] += length
        row_price[row_of[done]] += length - distance[done]
        column_price[done] -= length - distance[done]
        while column >= 0:  # walk back: each row takes the column that follows it on the path, and gives up its own
            row = int(came_from[column])
            row_of[column] = row
            column_of[row], column = column, int(column_of[row])
    return np.arange(rows_count), column_of
